// A function of an interface that the host implements: what it takes and answers, what it does, and how it
// becomes a core import. Each begins with `enter` of the call's state, which refuses it once the call has
// failed or is over, and a fault is recorded before it is thrown into the guest.

import { trap } from "../../at-once.ts";
import { GuestFault } from "../../guest-memory.ts";
import { Suspending } from "../../jspi.ts";
import { aligned, tuple, type Values } from "./compound-types.ts";
import type { ComponentGuest, Realloc } from "./guest.ts";
import { type CoreType, type CoreValue, FlatReader, type ValueType } from "./value-types.ts";

export type HostFunction = {
  /** Its core type. */
  readonly params: readonly CoreType[];
  readonly results: readonly CoreType[];
  /** The import of one instance; `realloc` is the guest's allocator, once there is one. */
  bind(guest: ComponentGuest, realloc: () => Realloc | null): WebAssembly.ImportValue;
};

/** The functions of one interface, by name. */
export type Interface = {
  readonly functions: Readonly<Record<string, HostFunction>>;
  /** Names of its resources. */
  readonly resources: readonly string[];
};

/** Beyond so many, parameters lie in memory (CanonicalABI.md, MAX_FLAT_PARAMS). */
const flatParamsMax = 16;

type Settings = {
  /** May answer a promise: the guest leaves the thread until that is settled. */
  readonly suspends: boolean;
  /** May be called while the instance starts. */
  readonly atStart: boolean;
};

type Run<types extends readonly ValueType<unknown>[], answer> = (
  guest: ComponentGuest,
  ...args: Values<types>
) => answer;

/** One that answers at once. */
export function func<const types extends readonly ValueType<unknown>[], answer = void>(
  params: types,
  result: ValueType<answer> | null,
  run: Run<types, answer>,
): HostFunction {
  return made(params, result, run, { suspends: false, atStart: false });
}

/** As `func`, for what an instance may call while it starts too. */
export function earlyFunc<const types extends readonly ValueType<unknown>[], answer = void>(
  params: types,
  result: ValueType<answer> | null,
  run: Run<types, answer>,
): HostFunction {
  return made(params, result, run, { suspends: false, atStart: true });
}

/** One that may have the guest wait. */
export function waitingFunc<const types extends readonly ValueType<unknown>[], answer = void>(
  params: types,
  result: ValueType<answer> | null,
  run: Run<types, answer | Promise<answer>>,
): HostFunction {
  return made(params, result, run, { suspends: true, atStart: false });
}

/** As `waitingFunc`, for what an instance may call while it starts too. */
export function earlyWaitingFunc<const types extends readonly ValueType<unknown>[], answer = void>(
  params: types,
  result: ValueType<answer> | null,
  run: Run<types, answer | Promise<answer>>,
): HostFunction {
  return made(params, result, run, { suspends: true, atStart: true });
}

function made<const types extends readonly ValueType<unknown>[], answer>(
  params: types,
  result: ValueType<answer> | null,
  run: Run<types, answer | Promise<answer>>,
  { suspends, atStart }: Settings,
): HostFunction {
  const list = tuple(...params);
  const flat = list.flat.length > flatParamsMax ? (["i32"] as const) : list.flat;
  const inMemory = flat !== list.flat;
  const isReturned = result === null || result.flat.length <= 1;
  const lift = (guest: ComponentGuest, from: FlatReader): Values<types> =>
    inMemory ? list.load(guest, from.u32()) : list.lift(guest, from);
  const answered = (
    guest: ComponentGuest,
    value: answer,
    at: number,
    realloc: Realloc | null,
  ): CoreValue | undefined => {
    if (result === null) return undefined;
    if (!isReturned) {
      if (at !== aligned(at, result.align)) throw guest.fault("a result is to lie where it cannot");
      result.store(guest, at, value, realloc);
      return undefined;
    }
    const to: CoreValue[] = [];
    result.lower(guest, value, to, realloc);
    return to[0];
  };
  return {
    params: isReturned ? flat : [...flat, "i32"],
    results: isReturned ? (result?.flat ?? []) : [],
    bind: (guest, realloc) => {
      const enter = (...values: CoreValue[]): CoreValue | undefined | Promise<CoreValue | undefined> => {
        const { state } = guest;
        const recorded = (error: unknown): never => {
          throw state.recorded(error);
        };
        try {
          guest.enter();
          if (!atStart && state.phase !== "running") throw notAtStart();
          const from = new FlatReader(values);
          const args = lift(guest, from);
          const at = isReturned ? 0 : Number(values[flat.length]) >>> 0;
          const value = run(guest, ...args);
          guest.worked();
          if (!(value instanceof Promise)) return answered(guest, value, at, realloc());
          if (state.guard !== null) {
            // Here the guest runs to its end at once, or not at all: it may not be left waiting.
            value.catch(() => {});
            return trap();
          }
          return value.then((settled) => answered(guest, settled, at, realloc())).catch(recorded);
        } catch (error) {
          return recorded(error);
        }
      };
      // The engine suspends a guest whatever such an import answers: where none may be left waiting, it is plain.
      return suspends && guest.state.guard === null ? new Suspending(enter) : enter;
    },
  };
}

function notAtStart(): GuestFault {
  return new GuestFault("guest_trapped", "an interface of the host was called while the component started");
}
