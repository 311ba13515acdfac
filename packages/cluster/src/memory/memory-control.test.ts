import { FakeClock } from '@carillon/service-kit';
import { describe, expect, it } from 'vitest';
import { controlContract } from '../contract/control.contract.ts';
import { RecordingHandler } from '../contract/recording-handler.ts';
import { MemoryControl } from './memory-control.ts';

const node = { name: 'laptop', role: 'standalone', version: '1.0.0' } as const;

controlContract('memory', async () => {
  const handler = new RecordingHandler();
  const control = new MemoryControl({ clock: new FakeClock(), node, handler });
  return { nodes: [{ control, handler }], close: () => control.close() };
});

describe('memory control', () => {
  it('names itself missing when it does not answer a survey in time', async () => {
    const clock = new FakeClock();
    const handler = new RecordingHandler();
    handler.onAnswer = () => new Promise(() => undefined);
    const control = new MemoryControl({ clock, node, handler, nodeId: 'n1' });
    const surveying = control.survey({ kind: 'channels', pattern: '' }, 1_000);
    await clock.advance(1_000);
    expect(await surveying).toEqual({ answers: [], answeredBy: [], missing: ['n1'] });
  });

  it('gives up an emulation that takes longer than its deadline', async () => {
    const clock = new FakeClock();
    const handler = new RecordingHandler();
    handler.onEmulate = () => new Promise(() => undefined);
    const control = new MemoryControl({ clock, node, handler, nodeId: 'n1' });
    const emulating = control.emulate({ node: 'n1', session: 's', frame: new Uint8Array(1) }, 1_000);
    const failure = expect(emulating).rejects.toMatchObject({ code: 'emulation_timeout' });
    await clock.advance(1_000);
    await failure;
  });

  it('gives up a command that takes longer than its deadline', async () => {
    const clock = new FakeClock();
    const handler = new RecordingHandler();
    handler.onApply = () => new Promise(() => undefined);
    const control = new MemoryControl({ clock, node, handler, nodeId: 'n1' });
    const failure = expect(control.command({ kind: 'rules_changed' }, 1_000)).rejects.toMatchObject({
      code: 'control_timeout',
    });
    await clock.advance(1_000);
    await failure;
  });

  it('refuses everything after it was closed', async () => {
    const control = new MemoryControl({ clock: new FakeClock(), node, handler: new RecordingHandler() });
    await control.close();
    expect(control.unavailable()).toBe('closed');
    await expect(control.broadcast({ kind: 'rules_changed' })).rejects.toMatchObject({ code: 'control_closed' });
  });
});
