// What people of the shop may do. A role may do all that the ones before it may; each procedure names the least one
// that it needs.
//
//   viewer    looks on: drops, figures, products, audit log, findings. No personal data, no effect.
//   operator  runs a drop: steers it, sees orders and who bought, cancels and fulfils, has the books checked.
//   admin     decides what is sold and moves money: makes and changes drops and products, refunds.

export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

export function mayAct(role: Role, least: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(least);
}

/** The highest of our roles among what a token claims; null where there is none of ours. */
export function highestRole(claimed: readonly unknown[]): Role | null {
  return roles.findLast(role => claimed.includes(role)) ?? null;
}
