import { useEffect, useState } from 'react';
import type { DropWatch } from '../engine/types.ts';
import { type HistoryPoint, withPoint } from './history.ts';

/** The drop's last minutes as this page saw them, for the charts. */
export function useHistory(watch: DropWatch | null): readonly HistoryPoint[] {
  const [history, setHistory] = useState<readonly HistoryPoint[]>([]);
  useEffect(() => {
    if (watch) setHistory(old => withPoint(old, pointOf(watch)));
  }, [watch]);
  return history;
}

function pointOf(watch: DropWatch): HistoryPoint {
  return {
    atMs: watch.serverTimeMs,
    arrived: watch.lanes.reduce((sum, lane) => sum + lane.arrived, 0),
    called: watch.lanes.reduce((sum, lane) => sum + lane.serving, 0),
    left: watch.items.reduce((sum, item) => sum + item.available, 0),
  };
}
