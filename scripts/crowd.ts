// Sends simulated buyers to a drop, each with a session and a socket of their own.

export async function sendCrowd(_options: {
  url: string;
  dropId: string;
  buyersCount: number;
}): Promise<void> {
  throw new Error('there is no crowd yet');
}
