// The contract of where module bytes are kept: by digest, whole or absent.

export interface ArtifactStore {
  /** Stores `bytes` durably under their digest, `sha256:<hex>`; storing them again is no error. */
  put(digest: string, bytes: Uint8Array): Promise<void>;
  /** The bytes of a digest, checked against it. Throws when they are missing or differ. */
  read(digest: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Removes an artifact; one that is not there is no error. */
  remove(digest: string): Promise<void>;
  /** Removes every artifact that is not in `kept`, and what unfinished writes left behind. */
  retain(kept: ReadonlySet<string>): Promise<void>;
}
