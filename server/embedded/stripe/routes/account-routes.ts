/** `/v1/customers`, `/v1/events` and `/v1/webhook_endpoints`. */

import type { Account } from '../account.ts';
import { invalidRequest } from '../api-error.ts';
import { API_VERSION } from '../event-log.ts';
import { newId } from '../ids.ts';
import { readPageRequest } from '../object-store.ts';
import type { Customer, WebhookEndpoint } from '../objects/types.ts';
import { mergeMetadata, type Params } from '../params.ts';
import { readAddress } from '../payment-methods.ts';
import { readShipping } from './intent-details.ts';
import { type Answer, type Call, ok, type Route } from './route.ts';

type CustomerFields = Partial<
  Pick<Customer, 'address' | 'description' | 'email' | 'name' | 'phone' | 'shipping'>
>;

function readCustomer(params: Params): CustomerFields {
  const fields: CustomerFields = {};
  for (const name of ['description', 'email', 'name', 'phone'] as const) {
    const value = params.nullableString(name);
    if (value !== undefined) fields[name] = value;
  }
  if (params.has('address')) fields.address = readAddress(params.object('address'));
  if (params.has('shipping')) fields.shipping = readShipping(params);
  return fields;
}

function createCustomer({ store, clock, events }: Account, call: Call): Answer {
  const fields = readCustomer(call.params);
  const metadata = mergeMetadata({}, call.params.metadata());
  call.params.done();
  const id = newId('cus');
  const customer: Customer = {
    id,
    object: 'customer',
    address: null,
    balance: 0,
    created: clock.nowSec(),
    currency: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: id.slice(-8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata,
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
    ...fields,
  };
  store.insert(customer);
  events.emit('customer.created', customer, call.cause);
  return ok(customer);
}

function updateCustomer({ store, events }: Account, call: Call): Answer {
  const fields = readCustomer(call.params);
  const metadata = call.params.metadata();
  call.params.done();
  const before = store.get('customer', call.id);
  const after = { ...before, ...fields, metadata: mergeMetadata(before.metadata, metadata) };
  store.save(after);
  const changed = Object.entries(before).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(new Map(Object.entries(after)).get(name)),
  );
  events.emit('customer.updated', after, call.cause, Object.fromEntries(changed));
  return ok(after);
}

function deleteCustomer({ store, events }: Account, call: Call): Answer {
  call.params.done();
  const customer = store.get('customer', call.id);
  store.remove(customer.id);
  events.emit('customer.deleted', customer, call.cause);
  return ok({ id: customer.id, object: 'customer', deleted: true });
}

function listEvents({ store, events }: Account, { params }: Call): Answer {
  const page = readPageRequest(params);
  const type = params.string('type');
  const types = params.strings('types');
  params.done();
  if (type !== undefined && types !== undefined) {
    throw invalidRequest({
      message: 'You may only specify one of these parameters: type, types.',
      code: 'parameters_exclusive',
    });
  }
  const filters = { ...(type === undefined ? {} : { type }), ...(types === undefined ? {} : { types }) };
  const found = store.list('event', page, filters, '/v1/events');
  return ok({ ...found, data: found.data.map(event => events.withPending(event)) });
}

function createEndpoint({ store, db, clock }: Account, call: Call): Answer {
  const { params } = call;
  const url = params.requiredString('url');
  const enabled = params.strings('enabled_events');
  const description = params.nullableString('description') ?? null;
  const metadata = mergeMetadata({}, params.metadata());
  const apiVersion = params.string('api_version') ?? null;
  params.done();
  checkUrl(url);
  if (enabled === undefined || enabled.length === 0) {
    throw invalidRequest({
      message: 'Missing required param: enabled_events.',
      code: 'parameter_missing',
      param: 'enabled_events',
    });
  }
  if (apiVersion !== null && apiVersion !== API_VERSION) {
    throw invalidRequest({ message: `Invalid Stripe API version: ${apiVersion}`, param: 'api_version' });
  }
  const endpoint: WebhookEndpoint = {
    id: newId('we'),
    object: 'webhook_endpoint',
    api_version: apiVersion,
    application: null,
    created: clock.nowSec(),
    description,
    enabled_events: enabled,
    livemode: false,
    metadata,
    status: 'enabled',
    url,
  };
  const secret = newId('whsec');
  store.insert(endpoint);
  db.prepare('INSERT INTO endpoint_secrets (endpoint, secret) VALUES (?, ?)').run(endpoint.id, secret);
  // Shown this once, as at Stripe.
  return ok({ ...endpoint, secret });
}

function updateEndpoint({ store }: Account, call: Call): Answer {
  const { params } = call;
  const url = params.string('url');
  const enabled = params.strings('enabled_events');
  const description = params.nullableString('description');
  const metadata = params.metadata();
  const disabled = params.boolean('disabled');
  params.done();
  if (url !== undefined) checkUrl(url);
  const endpoint = store.get('webhook_endpoint', call.id);
  endpoint.url = url ?? endpoint.url;
  endpoint.enabled_events = enabled ?? endpoint.enabled_events;
  if (description !== undefined) endpoint.description = description;
  endpoint.metadata = mergeMetadata(endpoint.metadata, metadata);
  if (disabled !== undefined) endpoint.status = disabled ? 'disabled' : 'enabled';
  store.save(endpoint);
  return ok(endpoint);
}

function checkUrl(url: string): void {
  if (URL.canParse(url) && /^https?:/.test(url)) return;
  throw invalidRequest({
    message: 'Invalid URL: An explicit scheme (such as https) must be provided.',
    param: 'url',
  });
}

function deleteEndpoint({ store, db }: Account, call: Call): Answer {
  call.params.done();
  const endpoint = store.get('webhook_endpoint', call.id);
  store.remove(endpoint.id);
  db.prepare('DELETE FROM endpoint_secrets WHERE endpoint = ?').run(endpoint.id);
  return ok({ id: endpoint.id, object: 'webhook_endpoint', deleted: true });
}

function retrieveEvent({ store, events }: Account, { id, params }: Call): Answer {
  params.done();
  return ok(events.withPending(store.get('event', id)));
}

function retriever(kind: 'customer' | 'webhook_endpoint'): Route['run'] {
  return ({ store }, { id, params }) => {
    params.done();
    return ok(store.get(kind, id));
  };
}

function listCustomers({ store }: Account, { params }: Call): Answer {
  const page = readPageRequest(params);
  params.done();
  return ok(store.list('customer', page, {}, '/v1/customers'));
}

function listEndpoints({ store }: Account, { params }: Call): Answer {
  const page = readPageRequest(params, { created: false });
  params.done();
  return ok(store.list('webhook_endpoint', page, {}, '/v1/webhook_endpoints'));
}

export const accountRoutes: Route[] = [
  { method: 'POST', path: '/v1/customers', operation: 'customers.create', run: createCustomer },
  { method: 'GET', path: '/v1/customers', operation: 'customers.list', run: listCustomers },
  { method: 'GET', path: '/v1/customers/:id', operation: 'customers.retrieve', run: retriever('customer') },
  { method: 'POST', path: '/v1/customers/:id', operation: 'customers.update', run: updateCustomer },
  { method: 'DELETE', path: '/v1/customers/:id', operation: 'customers.delete', run: deleteCustomer },
  { method: 'GET', path: '/v1/events', operation: 'events.list', run: listEvents },
  { method: 'GET', path: '/v1/events/:id', operation: 'events.retrieve', run: retrieveEvent },
  {
    method: 'POST',
    path: '/v1/webhook_endpoints',
    operation: 'webhook_endpoints.create',
    run: createEndpoint,
  },
  { method: 'GET', path: '/v1/webhook_endpoints', operation: 'webhook_endpoints.list', run: listEndpoints },
  {
    method: 'GET',
    path: '/v1/webhook_endpoints/:id',
    operation: 'webhook_endpoints.retrieve',
    run: retriever('webhook_endpoint'),
  },
  {
    method: 'POST',
    path: '/v1/webhook_endpoints/:id',
    operation: 'webhook_endpoints.update',
    run: updateEndpoint,
  },
  {
    method: 'DELETE',
    path: '/v1/webhook_endpoints/:id',
    operation: 'webhook_endpoints.delete',
    run: deleteEndpoint,
  },
];
