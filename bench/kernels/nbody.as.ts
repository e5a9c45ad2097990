// Five bodies that attract one another: float arithmetic with square roots.

class Body {
  constructor(
    public x: f64,
    public y: f64,
    public z: f64,
    public vx: f64,
    public vy: f64,
    public vz: f64,
    public mass: f64,
  ) {}
}

const bodies = new StaticArray<Body>(5);

function advance(dt: f64): void {
  for (let i = 0; i < 5; i++) {
    const one = unchecked(bodies[i]);
    for (let j = i + 1; j < 5; j++) {
      const other = unchecked(bodies[j]);
      const dx = one.x - other.x;
      const dy = one.y - other.y;
      const dz = one.z - other.z;
      const square = dx * dx + dy * dy + dz * dz;
      const magnitude = dt / (square * Math.sqrt(square));
      one.vx -= dx * other.mass * magnitude;
      one.vy -= dy * other.mass * magnitude;
      one.vz -= dz * other.mass * magnitude;
      other.vx += dx * one.mass * magnitude;
      other.vy += dy * one.mass * magnitude;
      other.vz += dz * one.mass * magnitude;
    }
    one.x += dt * one.vx;
    one.y += dt * one.vy;
    one.z += dt * one.vz;
  }
}

export function run(rounds: i32): f64 {
  for (let i = 0; i < 5; i++) {
    const n = (i + 1) as f64;
    bodies[i] = new Body(n * 4, -n, n * 0.1, 0.6 / n, 2.8 / n, 0.01 * n, 39 / (n * n * n));
  }
  for (let round = 0; round < rounds * 1000; round++) advance(0.001);
  return bodies[0].x;
}
