// The graph behind `charges.ts`: how much must be counted ahead at each charge so that every way from
// there to the next charge is paid for. A node is a charge or a meeting of ways; an edge says that a
// meeting is reached from a node after so many instructions. Edges lead to nodes made later.

export class Regions {
  /** Nodes made; node 0 is none, and stands for "not reachable". */
  count = 1;
  /** Instructions on the longest way within the node; after `resolve`, to the next charges. */
  private costs = new Int32Array(64);
  /** 1 for a node from which a way leads on without a check; after `resolve`, through meetings too. */
  private leaving = new Uint8Array(64);
  /** First edge of each node, and the next edge of each edge; 0 ends a list. */
  private firstEdges = new Int32Array(64);
  private edgeCount = 1;
  private edgeNext = new Int32Array(64);
  private edgeCosts = new Int32Array(64);
  private edgeTargets = new Int32Array(64);

  clear(): void {
    this.count = 1;
    this.edgeCount = 1;
  }

  add(): number {
    if (this.count === this.costs.length) {
      this.costs = doubled(this.costs);
      this.firstEdges = doubled(this.firstEdges);
      const larger = new Uint8Array(this.leaving.length * 2);
      larger.set(this.leaving);
      this.leaving = larger;
    }
    this.leaving[this.count] = 0;
    this.costs[this.count] = 0;
    this.firstEdges[this.count] = 0;
    this.count += 1;
    return this.count - 1;
  }

  /** A way of `cost` instructions leads through `node`. */
  reach(node: number, cost: number): void {
    if (cost > (this.costs[node] as number)) this.costs[node] = cost;
  }

  /** After `cost` instructions of `node` the way goes on in `target`. */
  connect(node: number, cost: number, target: number): void {
    if (this.edgeCount === this.edgeNext.length) {
      this.edgeNext = doubled(this.edgeNext);
      this.edgeCosts = doubled(this.edgeCosts);
      this.edgeTargets = doubled(this.edgeTargets);
    }
    const edge = this.edgeCount;
    this.edgeCount += 1;
    this.edgeCosts[edge] = cost;
    this.edgeTargets[edge] = target;
    this.edgeNext[edge] = this.firstEdges[node] as number;
    this.firstEdges[node] = edge;
  }

  /** Makes `cost` of every node final: nodes in reverse, as edges lead to later ones. */
  resolve(): void {
    for (let node = this.count - 1; node > 0; node -= 1) {
      for (let edge = this.firstEdges[node] as number; edge !== 0; edge = this.edgeNext[edge] as number) {
        const target = this.edgeTargets[edge] as number;
        if (this.leaving[target] === 1) this.leaving[node] = 1;
        this.reach(node, (this.edgeCosts[edge] as number) + (this.costs[target] as number));
      }
    }
  }

  /** A way through `node` leaves the function, or goes where no check is sure to follow. */
  leave(node: number): void {
    this.leaving[node] = 1;
  }

  leaves(node: number): boolean {
    return this.leaving[node] === 1;
  }

  cost(node: number): number {
    return this.costs[node] as number;
  }
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
