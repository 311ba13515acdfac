import type { Control, SurveyAnswer, SurveyQuestion } from '@carillon/cluster';
import { OperationalError } from '@carillon/service-kit';

/** How long nodes have to answer (server-api §7.12). */
export const SURVEY_DEADLINE_MS = 10_000;

type AnswerTo<Kind extends SurveyAnswer['kind']> = Extract<SurveyAnswer, { kind: Kind }>;

/** Asks every node that has clients. One that is silent or fails rejects the whole, which the caller sees as error 100. */
export async function surveyAll<Question extends SurveyQuestion>(
  control: Pick<Control, 'survey'>,
  question: Question,
): Promise<AnswerTo<Question['kind']>[]> {
  return [...(await surveyByNode(control, question)).values()];
}

/** The same by the id of the node that answered. */
export async function surveyByNode<Question extends SurveyQuestion>(
  control: Pick<Control, 'survey'>,
  question: Question,
): Promise<ReadonlyMap<string, AnswerTo<Question['kind']>>> {
  const { answers, answeredBy, missing } = await control.survey(question, SURVEY_DEADLINE_MS);
  if (missing.length > 0) throw new OperationalError('survey_incomplete', `no answer from ${missing.join(', ')}`);
  const isAsked = (answer: SurveyAnswer): answer is AnswerTo<Question['kind']> => answer.kind === question.kind;
  const found = new Map<string, AnswerTo<Question['kind']>>();
  for (const [index, answer] of answers.entries()) if (isAsked(answer)) found.set(answeredBy[index] ?? '', answer);
  return found;
}
