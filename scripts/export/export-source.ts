// Where an export reads from.
import type { ProductPages } from './export-products.ts';

export interface ExportSource {
  /** Products of every status, removed ones not among them. */
  count(): Promise<number>;
  pages(): ProductPages;
  close(): Promise<void>;
}
