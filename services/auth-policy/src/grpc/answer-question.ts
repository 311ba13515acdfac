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
  if (connect !== undefined) return { id, connect: await answerOne(connect, decisions.connect) };
  if (refresh !== undefined) return { id, refresh: await answerOne(refresh, decisions.refresh) };
  if (subscribe !== undefined) return { id, subscribe: await answerOne(subscribe, decisions.subscribe) };
  if (publish !== undefined) return { id, publish: await answerOne(publish, decisions.publish) };
  if (subRefresh !== undefined) return { id, subRefresh: await answerOne(subRefresh, decisions.subRefresh) };
  if (rpc !== undefined) return { id, rpc: await answerOne(rpc, decisions.rpc) };
  if (mapPublish !== undefined) return { id, mapPublish: await answerOne(mapPublish, decisions.mapPublish) };
  if (mapRemove !== undefined) return { id, mapRemove: await answerOne(mapRemove, decisions.mapRemove) };
  return { id };
}
