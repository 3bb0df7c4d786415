// `npm run build`: the web pages, with the size of what a visitor loads, and the client package.
import path from 'node:path';
import { buildClientPackage } from './build/client-package.ts';
import { dropPageScriptsBytesMax, dropPageScriptsSize, readManifest } from './build/drop-page-scripts.ts';
import { buildPages, pagesFolder } from './build/pages.ts';

const startedMs = performance.now();
const files = await buildPages();
const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
for (const { name, bytes, gzipBytes } of files) {
  process.stdout.write(
    `${name.padEnd(44)} ${kib(bytes).padStart(11)}  gzip ${kib(gzipBytes).padStart(10)}\n`,
  );
}
const scripts = files.filter(file => file.name.endsWith('.js'));
const scriptsGzipBytes = scripts.reduce((sum, file) => sum + file.gzipBytes, 0);
const tookSec = ((performance.now() - startedMs) / 1000).toFixed(1);
process.stdout.write(
  `\nThe pages are in client/web/dist (${tookSec} s). Scripts, gzipped: ${kib(scriptsGzipBytes)}\n`,
);
const drop = dropPageScriptsSize(readManifest(pagesFolder), files);
const kb = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
process.stdout.write(
  `The drop page's scripts: ${kb(drop.brotliBytes)} compressed (gzip ${kb(drop.gzipBytes)}, ` +
    `${drop.filesCount} files), of ${kb(dropPageScriptsBytesMax)} at most\n`,
);
if (!drop.isWithin) {
  process.stderr.write('That is too much: a part of it should load later, or be lighter\n');
  process.exitCode = 1;
}

const { folder, files: packaged } = await buildClientPackage();
process.stdout.write(
  `The client package is in ${path.relative(process.cwd(), folder)} (${packaged.length} files)\n`,
);
