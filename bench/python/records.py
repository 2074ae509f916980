"""The replaced producer of records: one JSON message for each record of the files of a folder, persistent, in a durable queue.

Arguments: broker, queue, folder, file to make when everything is there.
"""

import csv
import json
import os
import sys

import pika

broker, queue, folder, done = sys.argv[1:]

connection = pika.BlockingConnection(pika.URLParameters(broker))
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True)
properties = pika.BasicProperties(delivery_mode=2)
for name in sorted(os.listdir(folder)):
    with open(os.path.join(folder, name), newline="") as file:
        for row in csv.DictReader(file):
            row["value"] = float(row["value"])
            channel.basic_publish(exchange="", routing_key=queue, body=json.dumps(row), properties=properties)
connection.close()
open(done, "w").close()
