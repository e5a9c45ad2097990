// What the build tools throw when the fault is in what the user gave them: the message is all a
// person needs, so the command line prints it without a stack.

/** An export that is not there, or arguments that it does not take: the command is to be typed anew. */
export class WrongArguments extends Error {
  constructor(message: string) {
    super(message);
    this.name = "WrongArguments";
  }
}

/** A failure that the user can mend; `message` says what was found and what to do. */
export class UserError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UserError";
  }
}
