import { decideRpc } from '@carillon/policy';
import { askOf, commonAskFields, resultOf } from '../policy/ask.ts';
import { backendBytes } from '../policy/backend-bytes.ts';
import type { CommandDeps } from './command-deps.ts';
import type { CommandHandler } from './handler.ts';
import { throwRefusal } from './refusal.ts';

/** `rpc`: the backend of the method's namespace answers (proxy.md §6.6). */
export function createRpc(deps: Pick<CommandDeps, 'settings' | 'decisions'>): CommandHandler {
  return async (session, command) => {
    const { method = '', data } = command.rpc ?? {};
    const verdict = decideRpc(method, deps.settings().rpc);
    if (verdict.kind === 'error' || verdict.kind === 'disconnect') throwRefusal(verdict);
    if (verdict.kind === 'answer_ping') {
      session.reply(command.id ?? 0, { rpc: {} });
      return;
    }
    const message = { ...commonAskFields(session), method, data };
    const result = resultOf(await deps.decisions.rpc(askOf(session, verdict.proxyName, message)));
    session.reply(command.id ?? 0, { rpc: { data: backendBytes(result?.b64data, result?.data) } });
  };
}
