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
  const { answers, missing } = await control.survey(question, SURVEY_DEADLINE_MS);
  if (missing.length > 0) throw new OperationalError('survey_incomplete', `no answer from ${missing.join(', ')}`);
  return answers.filter((answer): answer is AnswerTo<Question['kind']> => answer.kind === question.kind);
}
