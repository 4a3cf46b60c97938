/** A change that was sent: its key, since when, and the answer while it is awaited. */
interface Intent {
  key: string;
  at: number;
  answer?: Promise<unknown>;
}

// The server remembers a key for ten minutes; after that the same key would be a new change, and so it gets a new one a little earlier.
const rememberedInMs = 9 * 60_000;
const most = 50;

/**
 * What somebody means to change, and the key that the server knows it by. What is asked for again while the first has no answer is the same: a second click joins the first, and one after an answer that was
 * lost is sent with the key of the first, so that it is not done twice. Once there is an answer, the same click means it once more.
 */
export class Intents {
  readonly #sent = new Map<string, Intent>();

  constructor(readonly now: () => number, readonly newKey: () => string) {}

  /** `isOpen` says of an error that it is not known whether it was done. */
  send<T>(what: string, run: (key: string) => Promise<T>, isOpen: (error: unknown) => boolean): Promise<T> {
    const before = this.#sent.get(what);
    if (before?.answer) return before.answer as Promise<T>;
    const isKept = before !== undefined && this.now() - before.at < rememberedInMs;
    const intent: Intent = isKept ? before : { key: this.newKey(), at: this.now() };
    this.#sent.delete(what);
    this.#sent.set(what, intent);
    this.#forget();
    const answer = run(intent.key).then(
      value => { this.#sent.delete(what); return value; },
      error => {
        intent.answer = undefined;
        if (!isOpen(error)) this.#sent.delete(what);
        throw error;
      });
    intent.answer = answer;
    return answer;
  }

  #forget(): void {
    for (const [what, intent] of this.#sent) {
      if (this.#sent.size <= most) return;
      if (!intent.answer) this.#sent.delete(what);
    }
  }
}
