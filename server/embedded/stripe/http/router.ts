/** Finds the route of a path: one look-up by its shape, as every path has at most one id, in third place. */

import type { Route } from '../routes/route.ts';

export interface Match {
  route: Route;
  id: string;
}

export class Router {
  readonly #routes = new Map<string, Route>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#routes.set(`${route.method} ${route.path}`, route);
  }

  find(method: string, path: string): Match | undefined {
    const exact = this.#routes.get(`${method} ${path}`);
    if (exact !== undefined) return { route: exact, id: '' };
    const [, version, resource, id, action, ...more] = path.split('/');
    if (id === undefined || id === '' || more.length > 0) return undefined;
    const shape = `/${version}/${resource}/:id${action === undefined ? '' : `/${action}`}`;
    const route = this.#routes.get(`${method} ${shape}`);
    return route === undefined ? undefined : { route, id };
  }

  /** Whether a browser may call something at this path, for a preflight that names no key yet. */
  hasPublic(path: string): boolean {
    return (['GET', 'POST'] as const).some(method => this.find(method, path)?.route.isPublic === true);
  }
}
