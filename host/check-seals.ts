// All that is sealed in the data folder, opened once at the start: a host whose key does not open it must not
// run, and one that is given the key before as well seals everything anew under its own. Called by `host-state.ts`.

import type { SecretBox } from "./secret-box.ts";
import type { Sealed, SecretStore } from "./store/secret-store.ts";

/**
 * How many seals were made anew: all that the old key alone opens, in one transaction. Throws when neither key
 * opens one of them; nothing is changed then.
 */
export async function checkSeals(
  store: Pick<SecretStore, "all" | "reseal">,
  box: SecretBox,
  old: SecretBox | null,
): Promise<number> {
  const anew: Sealed[] = [];
  for (const each of store.all()) {
    const fault = faultOf(box, each);
    if (fault === null) continue;
    const secret = old === null ? null : opened(old, each);
    if (secret === null) throw cannotOpen(fault, old !== null);
    anew.push({ ...each, sealed: await box.seal(secret, each.purpose) });
  }
  if (anew.length > 0) await store.reseal(anew);
  return anew.length;
}

function faultOf(box: SecretBox, { sealed, purpose }: Sealed): Error | null {
  try {
    box.open(sealed, purpose);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function opened(box: SecretBox, { sealed, purpose }: Sealed): string | null {
  try {
    return box.open(sealed, purpose);
  } catch {
    return null;
  }
}

function cannotOpen(cause: Error, hasOld: boolean): Error {
  const either = hasOld ? " under --secret-key or --secret-key-old" : "";
  return new Error(
    `the secrets in it cannot be opened${either} (${cause.message}); start with the key that it had, by --secret-key, or put its secrets.key back`,
    { cause },
  );
}
