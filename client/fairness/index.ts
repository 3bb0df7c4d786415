// What a page needs to work out ranks by itself, from what the engine publishes.
export { lobbyRanks, type Lobby } from './permutation.ts';
