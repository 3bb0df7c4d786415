// Who is signed in, and the connection that speaks for them.
import { createContext, useContext } from 'react';
import type { ApiOutputs, Doorbuster } from '../../../index.ts';

export type Who = ApiOutputs['admin']['whoami'];
export type Role = Who['role'];

export interface Staff {
  readonly client: Doorbuster;
  readonly api: Doorbuster['api'];
  readonly who: Who;
  /** Whether the role is at least this one. The server decides; this only keeps buttons away that it would refuse. */
  readonly may: (least: Role) => boolean;
  readonly signOut: () => void;
}

const order: readonly Role[] = ['viewer', 'operator', 'admin'];

export function mayAct(role: Role, least: Role): boolean {
  return order.indexOf(role) >= order.indexOf(least);
}

export const StaffContext = createContext<Staff | null>(null);

export function useStaff(): Staff {
  const staff = useContext(StaffContext);
  if (!staff) throw new Error('useStaff is used outside of StaffContext');
  return staff;
}
