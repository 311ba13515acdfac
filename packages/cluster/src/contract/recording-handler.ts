import type { ControlCommand, ControlHandler, SurveyAnswer, SurveyQuestion } from '../control.ts';

/** A control handler that remembers what it was told and answers as the test says. */
export class RecordingHandler implements ControlHandler {
  readonly applied: ControlCommand[] = [];
  readonly emulated: { session: string; frame: number[] }[] = [];
  /** How the next calls go; tests replace them. */
  onApply: (command: ControlCommand) => Promise<void> = () => Promise.resolve();
  onEmulate: () => Promise<void> = () => Promise.resolve();
  onAnswer: (question: SurveyQuestion) => Promise<SurveyAnswer> = () =>
    Promise.resolve({ kind: 'channels', channels: new Map() });

  async apply(command: ControlCommand): Promise<void> {
    this.applied.push(command);
    await this.onApply(command);
  }

  answer(question: SurveyQuestion): Promise<SurveyAnswer> {
    return this.onAnswer(question);
  }

  async emulate(session: string, frame: Uint8Array): Promise<void> {
    await this.onEmulate();
    this.emulated.push({ session, frame: [...frame] });
  }
}
