import { fromWireQuestion, toWireDecision, type Ask, type Decision, type DecisionService } from '@carillon/policy';
import type { WireDecision, WireQuestion } from '@carillon/policy';
import type { DecideReply, DecideRequest } from '@carillon/protocol/cluster';

/** One question and its decision, in the messages of the hop. Never rejects. */
export async function answerOne<Message, Result>(
  question: WireQuestion<Message>,
  decide: (ask: Ask<Message>) => Promise<Decision<Result>>,
): Promise<WireDecision<Result>> {
  const ask = fromWireQuestion(question);
  return toWireDecision(ask === undefined ? { kind: 'failed', reason: 'an empty question' } : await decide(ask));
}

/** The reply to a question of the stream, under the same id. Without any question in it, only the id comes back. */
export async function answerQuestion(request: DecideRequest, decisions: DecisionService): Promise<DecideReply> {
  const { id, connect, refresh, subscribe, publish, subRefresh, rpc, mapPublish, mapRemove } = request;
  if (connect !== undefined) return { id, connect: await answerOne(connect, (ask) => decisions.connect(ask)) };
  if (refresh !== undefined) return { id, refresh: await answerOne(refresh, (ask) => decisions.refresh(ask)) };
  if (subscribe !== undefined) return { id, subscribe: await answerOne(subscribe, (ask) => decisions.subscribe(ask)) };
  if (publish !== undefined) return { id, publish: await answerOne(publish, (ask) => decisions.publish(ask)) };
  if (subRefresh !== undefined)
    return { id, subRefresh: await answerOne(subRefresh, (ask) => decisions.subRefresh(ask)) };
  if (rpc !== undefined) return { id, rpc: await answerOne(rpc, (ask) => decisions.rpc(ask)) };
  if (mapPublish !== undefined)
    return { id, mapPublish: await answerOne(mapPublish, (ask) => decisions.mapPublish(ask)) };
  if (mapRemove !== undefined) return { id, mapRemove: await answerOne(mapRemove, (ask) => decisions.mapRemove(ask)) };
  return { id };
}
