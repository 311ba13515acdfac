import type { ControlCommand, ControlHandler, SurveyAnswer, SurveyQuestion } from '../control.ts';

/** A control handler that remembers what it was told and answers as the test says. */
export class RecordingHandler implements ControlHandler {
  readonly applied: ControlCommand[] = [];
  readonly emulated: { session: string; frame: number[] }[] = [];
  /** How the next calls go; tests replace them. */
  onApply: (command: ControlCommand) => Promise<number | void> = () => Promise.resolve();
  onEmulate: () => Promise<void> = () => Promise.resolve();
  onAnswer: (question: SurveyQuestion) => Promise<SurveyAnswer> = () =>
    Promise.resolve({ kind: 'channels', channels: new Map() });

  async apply(command: ControlCommand): Promise<number> {
    this.applied.push(command);
    return (await this.onApply(command)) ?? 0;
  }

  answer(question: SurveyQuestion): Promise<SurveyAnswer> {
    return this.onAnswer(question);
  }

  async emulate(session: string, frame: Uint8Array): Promise<void> {
    await this.onEmulate();
    this.emulated.push({ session, frame: [...frame] });
  }
}
