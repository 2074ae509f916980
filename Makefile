# The targets of the two pipelines that lading replaces. `make help` lists them. Settings come from .env, or stand behind: make up CONSUMER_REPLICAS=4
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
LADING := node --env-file-if-exists=.env bin/lading.js
# Servers of their own, at ports of their own, beside those of `make up`.
TEST_ENV := POSTGRES_PORT=55432 RABBITMQ_PORT=55672 RABBITMQ_WEBAPP_PORT=55673 docker compose --project-name lading_test
# Where awslocal_test sends to. What .env says is not asked, so that no test event goes to a queue in earnest.
SQS_URL ?= http://localhost:4566/000000000000/login-queue
AWS = $(shell command -v awslocal || command -v aws)

.PHONY: help start run awslocal_test build up down logs stats gen_csv_demo generate_csv_demo generate_csv_end_to_end_test setup_test_env teardown_test_env test
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z_]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 32

start: node_modules ## load login events from the queue of SQS_URL into the database of PG_URL, until told to stop
	$(LADING) consume --model user_logins --allow-rejects

run: node_modules ## the same, until the queue is empty
	$(LADING) consume --model user_logins --allow-rejects --until-empty

awslocal_test: export AWS_ENDPOINT_URL ?= http://localhost:4566
awslocal_test: export AWS_DEFAULT_REGION ?= us-east-1
awslocal_test: export AWS_ACCESS_KEY_ID ?= test
awslocal_test: export AWS_SECRET_ACCESS_KEY ?= test
awslocal_test: node_modules ## make a queue with awslocal or aws, if one is installed, and send it 100 login events, some of them broken
	$(if $(AWS),$(AWS) sqs create-queue --queue-name $(notdir $(SQS_URL)); )$(LADING) generate logins --count 100 --broken 0.05 --queue $(SQS_URL)

build: ## build the image, and fetch those of the servers
	docker compose pull --ignore-buildable && docker compose build --pull

up: ## start the servers, the producer and CONSUMER_REPLICAS consumers
	docker compose up --detach

down: ## stop and remove them; the volumes stay
	docker compose down

logs: ## follow the logs of the producer and the consumers
	docker compose logs --follow --tail 100 producer consumer

stats: ## processor, memory and network of each container
	docker stats $$(docker compose ps --quiet)

gen_csv_demo: node_modules ## write demo CSVs to TARGET_FILE_DIR, as many as GEN_* says
	$(LADING) generate sensors

generate_csv_demo: gen_csv_demo

generate_csv_end_to_end_test: ## put the ten files with fifty known records into records_test
	mkdir -p records_test && cp test/fixtures/records/*.csv records_test

setup_test_env: ## start an empty PostgreSQL (port 55432) and RabbitMQ (55672) to try things with
	$(TEST_ENV) up --detach --wait postgres rabbitmq

teardown_test_env: ## remove them with everything that is in them
	$(TEST_ENV) down --volumes

test: ## run every check and every test
	npm ci && npm test

node_modules:
	npm ci
