// The built pages. The shop and the control room are one document each, whose script draws the page that the address
// names; so every address that may be one of theirs answers with the document, and a reload or a shared link works.
//
// What always holds: a file that is not there is a 404 and never a document in its stead (a script that turns out to be
// HTML breaks a page without saying why), and so is an address that neither page knows, drawn by the shop as such.
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';

export type ServePage = (req: IncomingMessage, res: ServerResponse, path: string) => void;

/** As client/web/app.tsx routes them; what follows the name of a thing is that thing's id. */
const shopPaths = /^\/(?:$|search$|orders$|account$|(?:products|drops|orders)\/[^/]+$)/;
const adminPaths = /^\/admin(?:$|\/)/;
/** Files have an ending, or stand in a folder of files; ids may have dots, but follow the name of a thing. */
const filePaths = /^\/(?:assets\/|\.|[^/]+\.\w+$)/;

export type PageKind = 'shop' | 'admin' | 'file' | 'unknown';

export function pageKindOf(path: string): PageKind {
  const trimmed = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  if (filePaths.test(trimmed)) return 'file';
  if (shopPaths.test(trimmed)) return 'shop';
  return adminPaths.test(trimmed) ? 'admin' : 'unknown';
}

/** Null where the pages are not built: headless installations run without them. */
export function createPages(folder: string): ServePage | null {
  if (!existsSync(folder)) return null;
  const files = sirv(folder, {
    etag: true,
    gzip: true,
    brotli: true,
    setHeaders(res, path) {
      // Names in assets/ carry a hash of what is in the file; all else may change with the next build.
      const isHashed = path.startsWith('/assets/');
      res.setHeader('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const documentOf = (name: string) => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file) : null;
  };
  const shopDocument = documentOf('index.html');
  const missing = (res: ServerResponse, document: Buffer | null) => {
    const type = document ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
    res.writeHead(404, { 'content-type': type, 'cache-control': 'no-store' });
    res.end(document ?? 'There is nothing here');
  };

  return (req, res, path) => {
    const kind = pageKindOf(path);
    if (kind === 'unknown') {
      const wantsPage = req.headers.accept?.includes('text/html') === true;
      missing(res, wantsPage ? shopDocument : null);
      return;
    }
    if (kind !== 'file') req.url = kind === 'admin' ? '/admin.html' : '/index.html';
    files(req, res, () => missing(res, null));
  };
}
