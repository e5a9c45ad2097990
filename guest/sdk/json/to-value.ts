// Turns a value of the function's own types into a JsonValue; decided while compiling, so that only
// the branch of the type at hand is in the module. Internal: `set` and `push` call it.

import { JsonArray } from "./array";
import { JsonKind, JsonValue } from "./value";

export function toJsonValue<T>(value: T): JsonValue {
  if (isNullable<T>()) {
    if (changetype<usize>(value) === 0) return JsonValue.ofNull();
  }
  if (isString<T>()) return JsonValue.ofString(changetype<string>(value));
  // @ts-ignore: T is a bool here
  if (isBoolean<T>()) return JsonValue.ofBool(value);
  // @ts-ignore: T is an integer here
  if (isInteger<T>())
    return isSigned<T>() || sizeof<T>() < 8 ? JsonValue.ofInteger(<i64>value) : ofUnsigned(<u64>value);
  // @ts-ignore: T is a float here
  if (isFloat<T>()) return JsonValue.ofNumber(<f64>value);
  if (isArray<T>()) {
    const array = new JsonArray();
    // @ts-ignore: T is an array here
    for (let i = 0; i < value.length; i++) {
      // @ts-ignore: T is an array here
      array.push<valueof<T>>(value[i]);
    }
    return array;
  }
  // Anything but a JsonValue is an error of the compiler here.
  // @ts-ignore: T is a JsonValue here
  return value;
}

function ofUnsigned(value: u64): JsonValue {
  return new JsonValue(JsonKind.Number, value.toString(), <f64>value);
}
