// The identifiers of the engine, branded so that a buyer's id can never be passed for a drop's.
// Each schema is both the check at the border and the only way to make the branded type.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** 16 bytes in base64url: short enough for a million of them in one Redis hash, too many to guess. */
const random16 = /^[A-Za-z0-9_-]{21}[AQgw]$/;

export const buyerIdSchema = z.string().regex(random16, 'a buyer id').brand<'BuyerId'>();
export type BuyerId = z.infer<typeof buyerIdSchema>;

export const dropIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'a drop id: lower-case letters, digits and hyphens')
  .brand<'DropId'>();
export type DropId = z.infer<typeof dropIdSchema>;

export const productIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a product id: letters, digits, dots, hyphens, underscores')
  .brand<'ProductId'>();
export type ProductId = z.infer<typeof productIdSchema>;

/** No slash and no colon: SKUs are parts of unit ids (`drop/sku/serial`) and of Redis hash fields. */
export const skuSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a SKU: letters, digits, dots, hyphens, underscores')
  .brand<'Sku'>();
export type Sku = z.infer<typeof skuSchema>;

/** A UUID of the caller's; kept in lower case so that one id has one spelling. */
export const holdIdSchema = z
  .uuid('a UUID')
  .transform(id => id.toLowerCase())
  .pipe(z.string().brand<'HoldId'>());
export type HoldId = z.infer<typeof holdIdSchema>;

export const orderIdSchema = z
  .string()
  .regex(/^ord_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'an order id')
  .brand<'OrderId'>();
export type OrderId = z.infer<typeof orderIdSchema>;

/** The caller's own name for a refund: a UUID, or a number of the shop's books. */
export const refundIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/,
    'a refund id: letters, digits, dots, colons, hyphens, underscores',
  )
  .brand<'RefundId'>();
export type RefundId = z.infer<typeof refundIdSchema>;

export function newBuyerId(): BuyerId {
  return buyerIdSchema.parse(randomBytes(16).toString('base64url'));
}

export function newDropId(): DropId {
  return dropIdSchema.parse(`drop-${randomBytes(8).toString('hex')}`);
}

/** One hold makes at most one order, so the order's id is the hold's: fixed before the first step is taken. */
export function orderIdOf(holdId: HoldId): OrderId {
  return orderIdSchema.parse(`ord_${holdId}`);
}

export function holdIdOf(orderId: OrderId): HoldId {
  return holdIdSchema.parse(orderId.slice('ord_'.length));
}
