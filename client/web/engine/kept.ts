// What this browser keeps so that a reload loses nothing: the session, tickets, and how far a purchase has come.
// What is read back is checked: it may be from an older version of the page, or edited. Where storage is switched
// off, everything works until the page is closed.
import type { Session } from '../../index.ts';

type Parse<T> = (value: Record<string, unknown>) => T | null;

const prefix = 'doorbuster.';

function read<T>(name: string, parse: Parse<T>, storage: () => Storage): T | null {
  try {
    const text = storage().getItem(prefix + name);
    const value: unknown = text === null ? null : JSON.parse(text);
    return typeof value === 'object' && value !== null ? parse({ ...value }) : null;
  } catch {
    return null;
  }
}

function write(name: string, value: object | null, storage: () => Storage): void {
  try {
    if (value === null) storage().removeItem(prefix + name);
    else storage().setItem(prefix + name, JSON.stringify(value));
  } catch {
    // Full or switched off: the page goes on without.
  }
}

const forBrowser = () => window.localStorage;
/** Ends with the tab: for what is personal. */
const forTab = () => window.sessionStorage;

export function keptSession(): Session | null {
  return read(
    'session',
    ({ buyerId, token, expiresAtMs }) =>
      typeof buyerId === 'string' && typeof token === 'string' && typeof expiresAtMs === 'number'
        ? { buyerId, token, expiresAtMs }
        : null,
    forBrowser,
  );
}

export function keepSession(session: Session): void {
  write('session', session, forBrowser);
}

export interface KeptTicket {
  readonly ticket: string;
  readonly lane: string;
  readonly arrival: number;
  /** What the visitor joined with; tickets from before it was kept have none. */
  readonly nonce?: string;
}

export function keptTicket(dropId: string): KeptTicket | null {
  return read(
    `ticket.${dropId}`,
    ({ ticket, lane, arrival, nonce }) =>
      typeof ticket === 'string' && typeof lane === 'string' && typeof arrival === 'number'
        ? { ticket, lane, arrival, ...(typeof nonce === 'string' ? { nonce } : {}) }
        : null,
    forBrowser,
  );
}

export function keepTicket(dropId: string, ticket: KeptTicket | null): void {
  write(`ticket.${dropId}`, ticket, forBrowser);
}

/** Told of a ticket that another tab of this browser got, or gave up. */
export function onOtherTicket(dropId: string, listener: () => void): () => void {
  const hear = ({ key }: StorageEvent) => {
    if (key === `${prefix}ticket.${dropId}`) listener();
  };
  window.addEventListener('storage', hear);
  return () => window.removeEventListener('storage', hear);
}

/** The nonce to join a drop with, the same in every tab: whoever joins first, the other knows what the ticket holds. */
export function nonceFor(dropId: string, make: () => string): string {
  const name = `nonce.${dropId}`;
  const known = read(name, ({ nonce }) => (typeof nonce === 'string' ? nonce : null), forBrowser);
  if (known !== null) return known;
  const nonce = make();
  write(name, { nonce }, forBrowser);
  return nonce;
}

/** Everything of a visitor, as after an erasure; what they chose for their eyes (theme, language) stays. */
export function forgetVisitor(): void {
  for (const storage of [forBrowser, forTab]) {
    try {
      const names = Object.keys(storage()).filter(name => name.startsWith(prefix));
      for (const name of names) if (!choices.has(name)) storage().removeItem(name);
    } catch {
      // Switched off: there was nothing.
    }
  }
}
const choices: ReadonlySet<string> = new Set([`${prefix}theme`, `${prefix}language`, `${prefix}sound`]);

/** Whether a sound tells of one's turn; it does, until the visitor says otherwise. */
export function wantsSound(): boolean {
  return read('sound', ({ on }) => on !== false, forBrowser) ?? true;
}

export function keepSound(on: boolean): void {
  write('sound', { on }, forBrowser);
}

/** What this browser has reserved in a drop, and where it is to go; the server knows the rest. */
export interface KeptHold {
  readonly holdId: string;
  readonly country: string;
  readonly state: string;
  /** The discount code of its price; empty for none. A new price for another address is asked with it. */
  readonly coupon: string;
}

export function keptHold(dropId: string): KeptHold | null {
  return read(
    `hold.${dropId}`,
    ({ holdId, country, state, coupon }) =>
      typeof holdId === 'string' && typeof country === 'string' && typeof state === 'string'
        ? { holdId, country, state, coupon: typeof coupon === 'string' ? coupon : '' }
        : null,
    forBrowser,
  );
}

export function keepHold(dropId: string, hold: KeptHold | null): void {
  write(`hold.${dropId}`, hold, forBrowser);
}

export interface KeptContact {
  readonly email: string;
  readonly name: string;
  readonly line1: string;
  readonly line2: string;
  readonly city: string;
  readonly postcode: string;
}

const contactFields = ['email', 'name', 'line1', 'line2', 'city', 'postcode'] as const;
export const noContact: KeptContact = { email: '', name: '', line1: '', line2: '', city: '', postcode: '' };

export function keptContact(): KeptContact {
  const found = read(
    'contact',
    value => {
      const texts = contactFields.map(field => [field, value[field]] as const);
      return texts.reduce<KeptContact>(
        (contact, [field, text]) => (typeof text === 'string' ? { ...contact, [field]: text } : contact),
        noContact,
      );
    },
    forTab,
  );
  return found ?? noContact;
}

export function keepContact(contact: KeptContact): void {
  write('contact', contact, forTab);
}
