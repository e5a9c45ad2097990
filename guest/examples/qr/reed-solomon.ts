// Reed-Solomon error correction over the field of 256 elements, as QR codes have it
// (ISO/IEC 18004, section 7.5.2): the correction bytes are the remainder of a division.

/** The polynomial (x - 2^0)(x - 2^1) … of that many factors, without its leading 1. */
export function generator(degree: i32): Uint8Array {
  const result = new Uint8Array(degree);
  result[degree - 1] = 1;
  let root: u8 = 1;
  for (let i = 0; i < degree; i++) {
    for (let j = 0; j < degree; j++) {
      result[j] = multiply(result[j], root);
      if (j + 1 < degree) result[j] ^= result[j + 1];
    }
    root = multiply(root, 2);
  }
  return result;
}

/** The remainder of the data, followed by zeros, divided by the generator. */
export function correctionBytes(data: Uint8Array, divisor: Uint8Array): Uint8Array {
  const remainder = new Uint8Array(divisor.length);
  for (let i = 0; i < data.length; i++) {
    const factor = data[i] ^ remainder[0];
    for (let j = 0; j + 1 < remainder.length; j++) remainder[j] = remainder[j + 1];
    remainder[remainder.length - 1] = 0;
    for (let j = 0; j < remainder.length; j++) remainder[j] ^= multiply(divisor[j], factor);
  }
  return remainder;
}

/** The product of two elements, modulo x^8 + x^4 + x^3 + x^2 + 1. */
function multiply(a: u8, b: u8): u8 {
  let product: u32 = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((<u32>b >> bit) & 1) * a;
  }
  return <u8>product;
}
