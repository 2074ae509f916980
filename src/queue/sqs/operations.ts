/** The calls that move messages, and which of their answers are plainly well. */
import { hash } from 'node:crypto'
import type {
  ChangeMessageVisibilityBatchCommandInput,
  ChangeMessageVisibilityBatchCommandOutput,
  DeleteMessageBatchCommandInput,
  DeleteMessageBatchCommandOutput,
  Message,
  ReceiveMessageCommandInput,
  ReceiveMessageCommandOutput,
  SendMessageBatchCommandInput,
  SendMessageBatchCommandOutput,
} from '@aws-sdk/client-sqs'
import type { BatchAnswer } from './batch.ts'
import type { Operation } from './direct.ts'

export const receiveMessage: Operation<ReceiveMessageCommandInput, ReceiveMessageCommandOutput> = {
  action: 'ReceiveMessage',
  call: (sqs, input, options) => sqs.receiveMessage(input, options),
  isPlain: ({ Messages = [] }) => Array.isArray(Messages) && Messages.every(isWhole),
}

export const sendMessageBatch: Operation<SendMessageBatchCommandInput, SendMessageBatchCommandOutput> = {
  action: 'SendMessageBatch',
  call: (sqs, input, options) => sqs.sendMessageBatch(input, options),
  isPlain: (answer, { Entries = [] }) => {
    if (!isBatch(answer)) return false
    const sums = new Map(answer.Successful?.map(({ Id, MD5OfMessageBody }) => [Id, MD5OfMessageBody]))
    return Entries.every(({ Id, MessageBody }) => !sums.has(Id) || sums.get(Id) === md5(MessageBody ?? ''))
  },
}

export const deleteMessageBatch: Operation<DeleteMessageBatchCommandInput, DeleteMessageBatchCommandOutput> =
  {
    action: 'DeleteMessageBatch',
    call: (sqs, input, options) => sqs.deleteMessageBatch(input, options),
    isPlain: isBatch,
  }

export const changeMessageVisibilityBatch: Operation<
  ChangeMessageVisibilityBatchCommandInput,
  ChangeMessageVisibilityBatchCommandOutput
> = {
  action: 'ChangeMessageVisibilityBatch',
  call: (sqs, input, options) => sqs.changeMessageVisibilityBatch(input, options),
  isPlain: isBatch,
}

/** Throws where the machine's rules forbid it; the client brings its own. */
const md5 = (text: string): string => hash('md5', text)

/** Bytes in an attribute, which JSON has as base64, are the client's to read. */
function isWhole({ MessageId, Body, MD5OfBody, MessageAttributes = {} }: Message): boolean {
  return (
    typeof MessageId === 'string' &&
    typeof Body === 'string' &&
    Object.values(MessageAttributes).every(({ StringValue }) => typeof StringValue === 'string') &&
    md5(Body) === MD5OfBody
  )
}

function isBatch({ Successful = [], Failed = [] }: BatchAnswer): boolean {
  return Array.isArray(Successful) && Array.isArray(Failed)
}
