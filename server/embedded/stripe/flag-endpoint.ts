/** The webhook endpoint that the flags ask for. It has a fixed id, so what waits for it survives a change of its port. */

import type { Account } from './account.ts';
import type { WebhookEndpoint } from './objects/types.ts';
import type { Settings } from './settings.ts';

const ID = 'we_from_settings';

export function restoreFlagEndpoint({ store, db, clock }: Account, settings: Settings): void {
  if (settings.webhookUrl === undefined) return;
  const endpoint: WebhookEndpoint = {
    id: ID,
    object: 'webhook_endpoint',
    api_version: null,
    application: null,
    created: clock.nowSec(),
    description: 'The endpoint given by --webhook-url.',
    enabled_events: ['*'],
    livemode: false,
    metadata: {},
    status: 'enabled',
    url: settings.webhookUrl,
  };
  if (store.find('webhook_endpoint', ID) === undefined) store.insert(endpoint);
  else store.save(endpoint);
  db.prepare('INSERT OR REPLACE INTO endpoint_secrets (endpoint, secret) VALUES (?, ?)').run(
    ID,
    settings.webhookSecret,
  );
}
