"""The replaced consumer: takes names of files from the queue, one at a time, and loads each file in one transaction.

Arguments: broker, queue, database, file that is there when the producer has ended, method.
Methods: executemany (the replaced one), execute_values, copy.
It ends when the queue gave nothing although the producer had ended before it was asked.
"""

import csv
import os
import sys
import time
from itertools import islice

import pika
import psycopg2
from psycopg2.extras import execute_values

broker, queue, database, done, method = sys.argv[1:]

BATCH = 5000
UPSERT = """INSERT INTO records (record_time, sensor_id, value) VALUES {}
  ON CONFLICT (sensor_id, record_time) DO UPDATE SET value = EXCLUDED.value"""


def batches(rows):
    while batch := list(islice(rows, BATCH)):
        yield batch


def by_executemany(cursor, file):
    rows = csv.reader(file)
    next(rows)
    for batch in batches(rows):
        cursor.executemany(UPSERT.format("(%s, %s, %s)"), batch)


def by_execute_values(cursor, file):
    rows = csv.reader(file)
    next(rows)
    for batch in batches(rows):
        execute_values(cursor, UPSERT.format("%s"), batch, page_size=BATCH)


def by_copy(cursor, file):
    cursor.copy_expert("COPY records (record_time, sensor_id, value) FROM STDIN WITH (FORMAT csv, HEADER)", file)


load = {"executemany": by_executemany, "execute_values": by_execute_values, "copy": by_copy}[method]

connection = pika.BlockingConnection(pika.URLParameters(broker))
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True)
target = psycopg2.connect(database)
while True:
    has_ended = os.path.exists(done)
    delivery, _, body = channel.basic_get(queue)
    if delivery is None:
        if has_ended:
            break
        time.sleep(0.01)
        continue
    with open(body.decode(), newline="") as file, target, target.cursor() as cursor:
        load(cursor, file)
    channel.basic_ack(delivery.delivery_tag)
target.close()
connection.close()
