import { afterAll, beforeAll, describe } from 'vitest';
import { describeHistory } from './broker-history.contract.ts';
import { describeLive } from './broker-live.contract.ts';
import { describeOnce } from './broker-once.contract.ts';
import type { BrokerContractOptions, BrokerSetup, BrokerUnderTest } from './broker-setup.ts';

/**
 * The contract of the broker port (channels-and-config §2.2 to §2.4, §7 items 42 to 54, 60, 63, 64, 67 to 72, 78).
 * Run by each adapter's own test file.
 */
export function brokerContract(
  name: string,
  makeSetup: () => Promise<BrokerSetup>,
  { idempotencyTtlMs = 300_000, expirySlackMs = 0 }: BrokerContractOptions = {},
): void {
  describe(`broker contract: ${name}`, () => {
    let setup: BrokerSetup | undefined;

    beforeAll(async () => {
      setup = await makeSetup();
    });

    afterAll(async () => {
      await setup?.close();
    });

    const underTest = (): BrokerUnderTest => {
      const publisher = setup?.nodes[0];
      const reader = setup?.nodes.at(-1);
      if (setup === undefined || publisher === undefined || reader === undefined) throw new Error('no setup');
      return { publisher, reader, setup, idempotencyTtlMs, expirySlackMs };
    };

    describeHistory(underTest);
    describeLive(underTest);
    describeOnce(underTest);
  });
}
