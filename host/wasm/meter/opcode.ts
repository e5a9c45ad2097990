// The opcodes that metering treats in a way of their own. All others are copied as they stand and
// cost one. A prefixed opcode is prefix * 0x1000 + number, as `InstructionDecoder` gives it.

export const opcode = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  callRef: 0x14,
  returnCallRef: 0x15,
  delegate: 0x18,
  catchAll: 0x19,
  select: 0x1b,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableSet: 0x26,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32Sub: 0x6b,
  i32Shl: 0x74,
  i32ShrU: 0x76,
  refFunc: 0xd2,
  brOnNull: 0xd5,
  brOnNonNull: 0xd6,
  memoryInit: 0xfc008,
  memoryCopy: 0xfc00a,
  memoryFill: 0xfc00b,
  tableInit: 0xfc00c,
  tableCopy: 0xfc00e,
  tableGrow: 0xfc00f,
  tableFill: 0xfc011,
  atomicNotify: 0xfe000,
} as const;

/** Instructions that throw. */
export function isThrow(code: number): boolean {
  return code >= opcode.throw && code <= opcode.throwRef;
}

/** Instructions that write `length` bytes of memory, the length being on top of the stack. */
export function isMemoryBulk(code: number): boolean {
  return code === opcode.memoryInit || code === opcode.memoryCopy || code === opcode.memoryFill;
}

/** Instructions that write `length` elements of a table, the length being on top of the stack. */
export function isTableBulk(code: number): boolean {
  return (
    code === opcode.tableInit ||
    code === opcode.tableCopy ||
    code === opcode.tableGrow ||
    code === opcode.tableFill
  );
}

/** Whether the cost is known only when it runs, so that it carries a check of its own. */
export function isBulk(code: number): boolean {
  return code === opcode.memoryGrow || (code > 0xfc000 && (isMemoryBulk(code) || isTableBulk(code)));
}

/** Whether the instruction opens a block that an `end` (or `delegate`) closes. */
export function opensBlock(code: number): boolean {
  return (
    code === opcode.block ||
    code === opcode.loop ||
    code === opcode.if ||
    code === opcode.try ||
    code === opcode.tryTable
  );
}
