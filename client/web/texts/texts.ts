// The texts in use. There is one language so far; with a second one, this is where it is chosen.
import { en } from './en.ts';

export type Texts = typeof en;
export const texts: Texts = en;

/** How numbers, prices and times are written: as the reader's browser says, whatever language the texts have. */
export const locale = typeof navigator === 'undefined' ? texts.locale : navigator.language;
