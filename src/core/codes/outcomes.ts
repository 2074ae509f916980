/** Exit codes of a command, for docs/reference/errors.md: those of errors are in the table of codes. */
export const outcomes: readonly (readonly [exit: string, meaning: string])[] = [
  ['0', 'everything was loaded'],
  [
    '1',
    'a receipt does not add up, records are open, a table lacks indexes that a load deferred to its end, or `lading doctor` found what stands against a load',
  ],
  [
    '3',
    'complete, but rejects or dead letters are open, including those of external messages (`--allow-rejects` makes it 0)',
  ],
  ['4', 'a file changed while it was read'],
  ['64 … 78', 'an error, see the table (numbers from sysexits.h)'],
  ['130, 143', 'stopped at once by a second SIGINT or SIGTERM'],
]
