/**
 * The tables of all queues of a database; steps are only ever appended, so that an older version can go on beside
 * a newer one. They have a schema of their own, because whoever only publishes needs no right on the ledger.
 *
 * Taking a message changes columns that no index has, and half of each page is left for it: the new version of
 * the row lies beside the old one, and the index stays as it is. A body of more than 2 KB lies outside the row,
 * which an update leaves alone, and as it is: compressing it would take longer than writing it.
 */
export const migrations = [
  `CREATE TABLE lading_queue.queue (
     id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     name text NOT NULL UNIQUE,
     uuid uuid NOT NULL,
     made_at timestamptz NOT NULL DEFAULT now()
   );
   CREATE TABLE lading_queue.message (
     queue int NOT NULL,
     id bigint GENERATED ALWAYS AS IDENTITY,
     key text NOT NULL,
     -- JSON: an object of texts.
     headers text NOT NULL DEFAULT '{}',
     body bytea NOT NULL,
     -- What it costs its receiver, where the body only refers to its bytes.
     bytes bigint NOT NULL,
     attempt int NOT NULL DEFAULT 0,
     -- When it may be delivered (again). A lease is a time in the future and a token.
     available_at timestamptz NOT NULL DEFAULT '-infinity',
     lease bigint,
     published_at timestamptz NOT NULL DEFAULT now(),
     PRIMARY KEY (queue, id)
   ) WITH (fillfactor = 50, vacuum_truncate = off, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
     autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0,
     toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000, toast.autovacuum_vacuum_cost_delay = 0);
   ALTER TABLE lading_queue.message ALTER COLUMN body SET STORAGE EXTERNAL;
   -- For programs that publish with SQL, in a transaction of their own.
   CREATE FUNCTION lading_queue.publish(queue text, body text, key text DEFAULT NULL, headers jsonb DEFAULT '{}')
   RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog AS $$
   DECLARE
     number int;
     content bytea := convert_to(publish.body, 'UTF8');
     made bigint;
   BEGIN
     SELECT q.id INTO number FROM lading_queue.queue q WHERE q.name = publish.queue;
     IF number IS NULL THEN
       RAISE EXCEPTION 'there is no queue %', publish.queue USING ERRCODE = 'undefined_object';
     END IF;
     INSERT INTO lading_queue.message AS m (queue, key, headers, body, bytes)
       VALUES (number, coalesce(nullif(publish.key, ''), gen_random_uuid()::text), publish.headers::text, content, octet_length(content))
       RETURNING m.id INTO made;
     RETURN made;
   END $$`,
]
