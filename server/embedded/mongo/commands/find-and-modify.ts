/** findAndModify: one document found, changed and returned in one step. */
import { type Doc } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import { parseSelection, select } from '../query/find.ts';
import { parseProjection } from '../query/projection.ts';
import { applyUpdate, parseUpdate, upsertDocument } from '../update/update.ts';
import { assertNoCollation, collectionName, type Command, flag } from './command.ts';

export const findAndModify: Command = {
  fields: [
    'query',
    'sort',
    'remove',
    'update',
    'new',
    'fields',
    'upsert',
    'arrayFilters',
    'hint',
    'bypassDocumentValidation',
    'collation',
    'let',
    'findAndModify',
    'findandmodify',
  ],
  run: (command, context) => {
    const name = collectionName(command, 'findAndModify' in command ? 'findAndModify' : 'findandmodify');
    assertNoCollation(command);
    const removing = flag(command, 'remove');
    const upsert = flag(command, 'upsert');
    const wantsNew = flag(command, 'new');
    if (removing && command['update'] !== undefined)
      throw new MongoFault('FailedToParse', 'Cannot specify both an update and remove=true');
    if (removing && upsert)
      throw new MongoFault('FailedToParse', 'Cannot specify both upsert=true and remove=true');
    if (removing && wantsNew)
      throw new MongoFault(
        'FailedToParse',
        "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
      );
    if (!removing && command['update'] === undefined)
      throw new MongoFault('FailedToParse', 'Either an update or remove=true must be specified');
    const update = removing ? undefined : parseUpdate(command['update'], command['arrayFilters']);
    const selection = parseSelection({
      filter: command['query'],
      sort: command['sort'],
      limit: 1,
      hint: command['hint'],
    });
    const projection = parseProjection(command['fields'], selection.filter);
    const shown = (doc: Doc): Doc => projection?.(doc) ?? doc;
    const collection = context.catalog.find(context.db, name);
    const [stored] = collection ? select(collection, selection) : [];
    if (stored && collection && update) {
      const next = applyUpdate(update, { doc: stored.doc, filter: selection.filter, inserting: false });
      collection.replace(stored, next);
      return {
        lastErrorObject: { n: 1, updatedExisting: true },
        value: shown(wantsNew ? next : stored.doc),
        ok: 1,
      };
    }
    if (stored && collection) {
      collection.remove(stored);
      return { lastErrorObject: { n: 1 }, value: shown(stored.doc), ok: 1 };
    }
    if (update && upsert) {
      const doc = upsertDocument(update, selection.filter);
      context.catalog.obtain(context.db, name).insert(doc);
      return {
        lastErrorObject: { n: 1, updatedExisting: false, upserted: doc['_id'] },
        value: wantsNew ? shown(doc) : null,
        ok: 1,
      };
    }
    return { lastErrorObject: removing ? { n: 0 } : { n: 0, updatedExisting: false }, value: null, ok: 1 };
  },
};
