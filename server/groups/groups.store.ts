// Groups and the buyers in them, in MongoDB.
import type { z } from 'zod';
import { buyerIdSchema, type BuyerId } from '../ids.ts';
import { collectionOf, type MongoConnection } from '../platform/mongo.ts';
import { groupNameSchema, groupSchema, membershipSchema, type Group, type Membership } from './group.ts';

const groupDocument = groupSchema.omit({ group: true }).extend({ _id: groupNameSchema });
type GroupDocument = z.infer<typeof groupDocument>;
const memberDocument = membershipSchema.omit({ buyerId: true }).extend({ _id: buyerIdSchema });
type MemberDocument = z.infer<typeof memberDocument>;

export type GroupsStore = ReturnType<typeof createGroupsStore>;

export function createGroupsStore(connection: MongoConnection) {
  const groups = collectionOf<GroupDocument>(connection, 'buyerGroups');
  const members = collectionOf<MemberDocument>(connection, 'groupMembers');
  const readGroup = (document: unknown): Group => {
    const { _id, ...fields } = groupDocument.parse(document);
    return { group: _id, ...fields };
  };
  return {
    async all(): Promise<Group[]> {
      const found = await groups.find({}).sort({ _id: 1 }).toArray();
      return found.map(readGroup);
    },
    async put({ group, createdAtMs, ...fields }: Group): Promise<void> {
      // Whole, so that what is left out is gone; how long it has been there stays.
      const before = await groups.findOne({ _id: group });
      const document = { createdAtMs: before?.createdAtMs ?? createdAtMs, ...fields };
      await groups.replaceOne({ _id: group }, document, { upsert: true });
    },
    async remove(group: string): Promise<boolean> {
      return (await groups.deleteOne({ _id: group })).deletedCount > 0;
    },
    async member(buyerId: BuyerId): Promise<Membership | null> {
      const found = await members.findOne({ _id: buyerId });
      if (!found) return null;
      const { _id, ...fields } = memberDocument.parse(found);
      return { buyerId: _id, ...fields };
    },
    async putMember({ buyerId, ...fields }: Membership): Promise<void> {
      await members.replaceOne({ _id: buyerId }, fields, { upsert: true });
    },
    async removeMember(buyerId: BuyerId): Promise<boolean> {
      return (await members.deleteOne({ _id: buyerId })).deletedCount > 0;
    },
  };
}
