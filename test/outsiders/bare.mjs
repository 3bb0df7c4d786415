// A whole purchase with nothing but `fetch` and a bare WebSocket, as a program that has never heard of this project's
// code would make it: the contract as bytes. Takes the address and the admin key from the environment.
const { DOORBUSTER_URL: url, ADMIN_KEY: adminKey } = process.env;

async function call(path, input, token) {
  const response = await fetch(`${url}/trpc/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(input),
  });
  const body = await response.json();
  if (body.error) throw new Error(`${path}: ${response.status} ${body.error.message}`);
  return body.result.data;
}

/** Opens a socket, subscribes, and resolves with the first message that `wanted` accepts. */
function untilTold(path, input, token, wanted) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc?connectionParams=1`);
    socket.addEventListener('open', () => {
      socket.send(JSON.stringify({ method: 'connectionParams', data: { token } }));
      socket.send(JSON.stringify({ id: 1, method: 'subscription', params: { path, input } }));
    });
    socket.addEventListener('message', ({ data }) => {
      if (data === 'PING') return socket.send('PONG');
      const message = JSON.parse(data);
      if (message.error) return reject(new Error(message.error.message));
      const told = message.result?.type === 'data' ? message.result.data.data : null;
      if (!told || !wanted(told)) return undefined;
      socket.close();
      return resolve(told);
    });
    socket.addEventListener('error', () => reject(new Error(`${path}: the socket failed`)));
  });
}

const sku = `BARE-${Date.now()}`;
await call(
  'admin.product.upsert',
  {
    productId: sku.toLowerCase(),
    title: 'A bare lamp',
    variants: [{ sku, price: { amount: 4900, currency: 'EUR' } }],
  },
  adminKey,
);
const { dropId } = await call(
  'admin.drop.create',
  {
    title: 'Bare lamps',
    mode: 'shuffle',
    opensAtMs: Date.now() + 1500,
    items: [{ sku, total: 2, price: { amount: 3900, currency: 'EUR' } }],
    perBuyerMax: 1,
    ratePerSec: 50,
    activeMax: 50,
  },
  adminKey,
);

const { token } = await call('session.start', {});
const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
const { ticket } = await call('queue.join', { dropId, nonce }, token);
const { pass } = await untilTold('queue.watch', { ticket }, token, told => told.kind === 'called');
const { quote, total } = await call(
  'pricing.quote',
  { dropId, lines: [{ sku, quantity: 1 }], destination: { country: 'FR' }, currency: 'EUR' },
  token,
);
const holdId = crypto.randomUUID();
const hold = await call('hold.place', { holdId, pass, quote }, token);
if (hold.kind !== 'held') throw new Error(`the hold is ${hold.kind}`);
const address = {
  name: 'A Buyer',
  line1: '1 rue de la Paix',
  city: 'Paris',
  postcode: '75002',
  country: 'FR',
};
const payable = await call('checkout.pay', { holdId, email: 'buyer@example.com', address }, token);
const { orderId, clientSecret, payments } = payable;
const confirmed = await fetch(
  `${payments.apiBase}/v1/payment_intents/${clientSecret.split('_secret_')[0]}/confirm`,
  {
    method: 'POST',
    headers: { authorization: `Bearer ${payments.publishableKey}` },
    body: new URLSearchParams({ client_secret: clientSecret, payment_method: 'pm_card_visa' }),
  },
);
if (!confirmed.ok) throw new Error(`the payment was not confirmed: ${confirmed.status}`);
const order = await untilTold('order.watch', { orderId }, token, told => told.status === 'paid');
console.log(JSON.stringify({ status: order.status, serials: order.serials, total }));
process.exit(0);
