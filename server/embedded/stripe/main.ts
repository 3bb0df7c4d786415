/**
 * The embedded Stripe stand-in as a program: settings, account, server, signals. See README.md beside this file.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Account, openAccount } from './account.ts';
import { Control } from './control.ts';
import { Api } from './http/api.ts';
import { serveChallenge, serveScript } from './http/pages.ts';
import { restoreFlagEndpoint } from './flag-endpoint.ts';
import { Scheduler } from './scheduler.ts';
import { readSettings, type Settings } from './settings.ts';
import { WebhookSender } from './webhook-sender.ts';

/** The guide for embedded services: out within three seconds of the signal. */
const STOP_WITHIN_MS = 2500;

function main(): void {
  const settings = readSettings(process.argv.slice(2), process.env);
  const account = openAccount(settings.dataFolder);
  const sender = new WebhookSender(account);
  const scheduler = new Scheduler(account);
  restoreFlagEndpoint(account, settings);
  account.events.onDeliveries(() => sender.wake());

  const server = createServer({ requestTimeout: 30_000 }, serverOf({ account, settings, sender, scheduler }));
  server.keepAliveTimeout = 60_000;
  server.on('error', error => {
    process.stderr.write(`stripe stand-in: ${error.message}\n`);
    process.exit(1);
  });
  server.listen(settings.port, settings.host, () => {
    scheduler.start();
    sender.wake();
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : settings.port;
    process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
  });

  const finish = (): void => {
    account.db.close();
    process.exit(0);
  };
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    scheduler.stop();
    sender.stop();
    server.close(finish);
    server.closeIdleConnections();
    // Calls that never get an answer (a fault) must not hold up the end.
    setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS / 5).unref();
    setTimeout(finish, STOP_WITHIN_MS).unref();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (settings.followParent) {
    process.stdin.on('end', stop).on('close', stop).on('error', stop).resume();
  }
}

interface Parts {
  account: Account;
  settings: Settings;
  sender: WebhookSender;
  scheduler: Scheduler;
}

function serverOf({ account, settings, sender, scheduler }: Parts) {
  const api = new Api(account, settings);
  const control = new Control({
    account,
    sender,
    scheduler,
    controlKey: settings.controlKey,
    restoreEndpoint: () => restoreFlagEndpoint(account, settings),
  });
  return (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    dispatch(request, response, url).catch((error: unknown) => {
      // The other side went away in the middle of its own request.
      process.stderr.write(`stripe stand-in: a request ended early: ${String(error)}\n`);
      response.destroy();
    });
  };

  function dispatch(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (url.pathname.startsWith('/_control/')) return control.handle(request, response, url);
    if (url.pathname.startsWith('/_authenticate/')) return serveChallenge(account, request, response, url);
    if (request.method === 'GET' && (url.pathname === '/v3/' || url.pathname === '/v3')) {
      serveScript(response);
      return Promise.resolve();
    }
    return api.handle(request, response, url);
  }
}

main();
