// The bound on the drop page's scripts: what is counted, and that too much is said.
import { describe, expect, it } from 'vitest';
import {
  dropPageScripts,
  dropPageScriptsSize,
  type Manifest,
} from '../../scripts/build/drop-page-scripts.ts';

const manifest: Manifest = {
  'index.html': { file: 'assets/index.js', imports: ['_react.js'] },
  'drop/drop-page.tsx': { file: 'assets/drop.js', imports: ['_react.js', '_queue.js'] },
  'texts/en.ts': { file: 'assets/en.js' },
  '_react.js': { file: 'assets/react.js' },
  '_queue.js': { file: 'assets/queue.js' },
  'search/search-page.tsx': { file: 'assets/search.js' },
};
const names = ['index', 'drop', 'en', 'react', 'queue', 'search'];
const files = (brotliBytes: number) =>
  names.map(name => ({ name: `assets/${name}.js`, bytes: 9, gzipBytes: 3, brotliBytes }));

describe('the drop page’s scripts', () => {
  it('are what is loaded at first, each once, and nothing of other pages', () => {
    expect(dropPageScripts(manifest).toSorted()).toEqual([
      'assets/drop.js',
      'assets/en.js',
      'assets/index.js',
      'assets/queue.js',
      'assets/react.js',
    ]);
    expect(dropPageScriptsSize(manifest, files(24_000))).toMatchObject({
      brotliBytes: 120_000,
      isWithin: true,
    });
  });

  it('are too much above the bound, and not counted at all where a part is missing', () => {
    expect(dropPageScriptsSize(manifest, files(24_001)).isWithin).toBe(false);
    const { 'texts/en.ts': _, ...without } = manifest;
    expect(() => dropPageScripts(without)).toThrow(/texts\/en\.ts/);
  });
});
