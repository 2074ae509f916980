"""Consumers of messages that are one JSON record each.

Arguments: broker, queue, database, file that is there when the producer has ended, statement, columns, method, number of messages.
Methods: get (the replaced one: basic_get, executemany of 5,000 records for each commit) and push (basic_consume with a prefetch of
1,000, COPY of 1,000 records for each commit).
`get` ends when the queue gave nothing although the producer had ended before it was asked; `push` when it has had all messages.
"""

import csv
import io
import json
import os
import sys
import time

import pika
import psycopg2

broker, queue, database, done, table, names, method, count = sys.argv[1:]

columns = names.split(",")
connection = pika.BlockingConnection(pika.URLParameters(broker))
channel = connection.channel()
if not os.path.exists(done):
    # Whoever comes first declares it; a queue that was filled before is used as it is.
    channel.queue_declare(queue=queue, durable=True)
target = psycopg2.connect(database)


def insert(rows):
    marks = ", ".join(["%s"] * len(columns))
    with target, target.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING", rows)


def copy(rows):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    text.seek(0)
    with target, target.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN WITH (FORMAT csv)", text)


def row_of(body):
    record = json.loads(body)
    return [record[name] for name in columns]


def get():
    rows, last, is_open = [], 0, True
    while is_open:
        has_ended = os.path.exists(done)
        delivery, _, body = channel.basic_get(queue)
        if delivery is not None:
            rows.append(row_of(body))
            last = delivery.delivery_tag
        elif not has_ended:
            time.sleep(0.01)
        else:
            is_open = False
        if rows and (len(rows) == 5000 or not is_open):
            insert(rows)
            channel.basic_ack(last, multiple=True)
            rows.clear()


def push():
    rows, left = [], int(count)
    channel.basic_qos(prefetch_count=1000)
    for delivery, _, body in channel.consume(queue):
        rows.append(row_of(body))
        left -= 1
        if len(rows) == 1000 or left == 0:
            copy(rows)
            channel.basic_ack(delivery.delivery_tag, multiple=True)
            rows.clear()
        if left == 0:
            break


if method == "get":
    get()
else:
    push()
target.close()
connection.close()
