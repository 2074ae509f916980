"""The replaced producer: puts the names of the files of a folder into a durable queue, one persistent message each.

Arguments: broker, queue, folder, file to make when everything is there.
"""

import os
import sys

import pika

broker, queue, folder, done = sys.argv[1:]

connection = pika.BlockingConnection(pika.URLParameters(broker))
channel = connection.channel()
channel.queue_declare(queue=queue, durable=True)
for name in sorted(os.listdir(folder)):
    channel.basic_publish(
        exchange="",
        routing_key=queue,
        body=os.path.join(folder, name),
        properties=pika.BasicProperties(delivery_mode=2),
    )
connection.close()
open(done, "w").close()
