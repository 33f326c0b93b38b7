/** One plan while it is played: whose requests and events it is about, what is still to befall them, and what was asked. */
import type { Call } from './calls.ts';
import { workbenchOf } from './calls.ts';
import { Script } from './rules.ts';
import type { Action, EventType, Happening, Rule } from './rules.ts';

export interface Recorded extends Call {
  event?: EventType;
  /** Since the first of the act, in ms. */
  at: number;
  /** What the API server answered; absent if it was not asked. */
  code?: number;
  fault?: Action;
}

export class Play {
  /** The REST user, of this play alone. */
  readonly user: string;
  /** The workbenches that are its own. */
  readonly ids = new Set<string>();
  record: Recorded[] = [];
  script = new Script([]);
  /** Set from the moment at which the controller is to die of it, until it is dead: what it still sends was never sent. */
  dying: PromiseWithResolvers<void> | undefined;
  /** How often the controller is still to be killed. */
  deaths = 0;
  readonly #rules: readonly Rule[];
  #began = performance.now();

  constructor(user: string, rules: readonly Rule[]) {
    this.user = user;
    this.#rules = rules;
    this.deaths = rules.filter(({ action }) => action.do === 'crash').length;
  }

  /** Forgets what was recorded; from now on the rules hold. */
  begin(): void {
    this.record = [];
    this.script = new Script(this.#rules);
    this.#began = performance.now();
  }

  /** Whether every rule has done its work. */
  get isDone(): boolean {
    return this.script.done === this.#rules.length;
  }

  /** What is to befall this request or event; undefined: nothing. */
  next(seen: Happening): Action | undefined {
    const action = this.script.next(seen);
    if (action?.do === 'crash') this.dying = Promise.withResolvers();
    return action;
  }

  /** The controller is dead. */
  died(): void {
    this.deaths -= 1;
    this.dying?.resolve();
    this.dying = undefined;
  }

  /** Whether a request or an object is about a workbench of this play. */
  owns(name: string | undefined, owner?: string): boolean {
    if (owner === this.user && name !== undefined) this.ids.add(name);
    return name !== undefined && this.ids.has(workbenchOf(name));
  }

  /** How long ago the last fault befell it, ms. */
  sinceFault(): number | undefined {
    const last = this.record.findLast(({ fault }) => fault);
    return last && performance.now() - this.#began - last.at;
  }

  note(seen: Happening & Partial<Recorded>): Recorded {
    const entry: Recorded = { ...seen, at: performance.now() - this.#began };
    this.record.push(entry);
    return entry;
  }
}
