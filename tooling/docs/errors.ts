import { actions } from '../../src/core/codes/action.ts'
import { codes } from '../../src/core/errors.ts'
import { outcomes } from '../../src/core/codes/outcomes.ts'
import { code, page, type Page, table } from './page.ts'

export const errors: Page = {
  name: 'errors.md',
  render: () =>
    page(
      'Errors and exit codes',
      `An error is one line on standard error: its code, what happened, where, and what to do.
[Troubleshooting](../troubleshooting.md) begins with what you see.`,
      table(
        ['exit code', 'meaning'],
        outcomes.map(([exit, meaning]) => [exit, meaning]),
      ),
      `After a first SIGINT or SIGTERM, \`consume\` finishes the messages it holds and exits with 0; \`load\` and \`produce\` stop with 75.`,
      `What the engine does with a code:\n\n${Object.entries(actions)
        .map(([action, meaning]) => `- ${action}: ${meaning}`)
        .join('\n')}`,
      table(
        ['code', 'action', 'exit', 'meaning', 'what to do'],
        Object.entries(codes).map(([name, { action, exit, meaning, advice }]) => [
          `<a id="${name.toLowerCase()}"></a>${code(name)}`,
          action,
          String(exit),
          meaning,
          advice,
        ]),
      ),
    ),
}
