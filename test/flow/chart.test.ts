/**
 * The Helm chart, as far as it can be tried without a cluster: Helm renders it, the published schemas of Kubernetes, KEDA
 * and the Prometheus operator are asked, and its commands, probes and variables are used as a node would.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { helm } from '../../tooling/cluster/helm.ts'
import { faultsOfFields, faultsOfValues, type Resource } from '../../tooling/cluster/schemas.ts'
import { freePort } from '../../tooling/servers/engine.ts'
import { Unavailable } from '../../tooling/servers/machine.ts'
import { Folder, records } from '../cli/run.ts'
import { blocksOf } from '../docs/blocks.ts'
import { root } from '../structure/sources.ts'

interface Container {
  readonly image: string
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[]
  readonly securityContext: object
  readonly livenessProbe?: { readonly httpGet: { readonly path: string } }
  readonly readinessProbe?: { readonly exec: { readonly command: readonly [string, ...string[]] } }
}
interface Pod {
  readonly securityContext: object
  readonly terminationGracePeriodSeconds: number
  readonly volumes: readonly object[]
  readonly containers: readonly [Container]
}
interface Workload extends Resource {
  readonly spec: {
    readonly template?: { readonly spec: Pod }
    readonly jobTemplate?: { readonly spec: { readonly template: { readonly spec: Pod } } }
  }
}

const run = promisify(execFile)
const chart = join(root, 'deploy/helm/lading')
const bin = join(root, 'bin/lading.js')

/** Without it, only where CI does not ask for everything. */
function available(): string | undefined {
  try {
    helm()
    return undefined
  } catch (error) {
    if (process.env['CI'] || !(error instanceof Unavailable)) throw error
    return error.message
  }
}
const obstacle = available()

async function render(...set: readonly string[]): Promise<readonly Workload[]> {
  const values = set.flatMap((each) => ['--set', each])
  const { stdout } = await run(helm(), ['template', 'nightly', chart, '--namespace', 'data', ...values])
  return parseAllDocuments(stdout).flatMap((document) => (document.toJS() as Workload | null) ?? [])
}

const everything = [
  'producer.job.enabled=true',
  'producer.cronJob.enabled=true',
  'producer.records.persistentVolumeClaim.claimName=readings',
  'model.name=orders.ts,model.configMap=models',
  'monitoring.serviceMonitor.enabled=true',
  'networkPolicy.enabled=true',
  'env[0].name=LADING_MASK_KEY,env[0].valueFrom.secretKeyRef.name=masks,env[0].valueFrom.secretKeyRef.key=k1',
  'serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=arn:aws:iam::1:role/lading',
  'image.pullSecrets[0].name=registry',
  'pod.nodeSelector.disk=fast,pod.labels.team=data,pod.annotations.note=hello,pod.priorityClassName=low',
]
const scaledByRabbit = 'scaling.rabbitmq.enabled=true'
const scaledBySqs =
  'scaling.sqs.enabled=true,scaling.sqs.region=eu-central-1,scaling.sqs.queueUrl=https://sqs.eu-central-1.amazonaws.com/1/q'

const podOf = ({ spec }: Workload): Pod | undefined =>
  (spec?.jobTemplate?.spec.template ?? spec?.template)?.spec
const named = (resources: readonly Workload[], kind: string): Workload =>
  resources.find((each) => each.kind === kind) ?? expect.unreachable(`no ${kind}`)

describe.skipIf(obstacle !== undefined)(
  obstacle === undefined ? 'the chart' : `the chart (SKIPPED: ${obstacle})`,
  () => {
    it('is well-formed, and of the version of the package', async () => {
      const { stdout } = await run(helm(), ['lint', '--strict', chart])
      expect(stdout).toContain('0 chart(s) failed')
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
      const image = podOf(named(await render(), 'Deployment'))?.containers[0].image
      expect(image).toBe(`lading:${version}`)
    })

    it('renders what Kubernetes, KEDA and the Prometheus operator accept', async () => {
      const rendered = await Promise.all([
        render(),
        render(...everything, scaledByRabbit),
        render(...everything, scaledBySqs),
      ])
      const kinds = new Set(rendered.flat().map(({ kind }) => kind))
      expect([...kinds].toSorted()).toEqual([
        'CronJob',
        'Deployment',
        'Job',
        'NetworkPolicy',
        'PodDisruptionBudget',
        'ScaledObject',
        'Service',
        'ServiceAccount',
        'ServiceMonitor',
        'TriggerAuthentication',
      ])
      expect(await faultsOfValues(rendered.flat())).toEqual([])
      // And a fault would be seen.
      const budget = named(rendered[0], 'PodDisruptionBudget')
      const wrong = { ...budget, spec: { unhealthyPodEvictionPolicy: 'Sometimes' } }
      const misspelt = { ...budget, spec: { maxUnavailabel: 1 } }
      expect(await faultsOfValues([wrong])).toEqual([expect.stringContaining('unhealthyPodEvictionPolicy')])
      expect(faultsOfFields([...rendered.flat(), misspelt])).toEqual([
        expect.stringContaining('maxUnavailabel'),
      ])
    })

    it('accepts the values that the page about Kubernetes shows', async () => {
      const [shown] = blocksOf('docs/how-to/kubernetes.md').filter(({ language }) => language === 'yaml')
      await using folder = await Folder.make({ 'records.yaml': shown?.code ?? '' })
      const { stdout } = await run(helm(), [
        'template',
        'records',
        chart,
        '--values',
        folder.at('records.yaml'),
      ])
      expect(stdout).toMatch(/^kind: CronJob$/m)
      expect(stdout).toMatch(/^kind: ScaledObject$/m)
    })

    it.each([
      ['a misspelt value', 'consumer.replica=1', "'replica' not allowed"],
      ['a stop that is too short for a batch', 'consumer.terminationGracePeriodSeconds=20', 'minimum'],
      ['two scalers', `${scaledByRabbit},${scaledBySqs}`, "at '/scaling'"],
      ['a scaler without its queue', 'scaling.sqs.enabled=true', 'scaling.sqs.queueUrl is'],
    ])('refuses %s', async (_, set, sentence) => {
      await expect(render(set)).rejects.toMatchObject({ stderr: expect.stringContaining(sentence) })
    })

    it('keeps what the profile “restricted” asks of pods, holds no secret and never writes outside its folders', async () => {
      const resources = await render(...everything, scaledByRabbit)
      const pods = resources.flatMap((each) => podOf(each) ?? [])
      expect(pods).toHaveLength(3)
      for (const { securityContext, volumes, containers } of pods) {
        expect(securityContext).toMatchObject({
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        })
        expect(volumes.filter((volume) => 'hostPath' in volume)).toEqual([])
        const [{ securityContext: rights, env }] = containers
        expect(rights).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        const secret = env.filter(({ name }) => /QUEUE|TO$|TOKEN|KEY/.test(name))
        expect(
          secret.filter(({ value, valueFrom }) => value !== undefined || valueFrom === undefined),
        ).toEqual([])
      }
      expect(resources.filter(({ kind }) => kind === 'Secret' || kind === 'ConfigMap')).toEqual([])
    })

    it('leaves the number of consumers to KEDA, and gives them time to stop', async () => {
      const [fixed, scaled] = await Promise.all([render('consumer.replicas=7'), render(scaledByRabbit)])
      expect(named(fixed, 'Deployment').spec).toMatchObject({ replicas: 7 })
      expect(named(scaled, 'Deployment').spec).not.toHaveProperty('replicas')
      // docs/deployment.md: a supervisor gives it 30 seconds.
      expect(podOf(named(scaled, 'Deployment'))?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(30)
    })

    it('gives a Job another name when what it does changes, because a Job cannot be changed', async () => {
      const names = await Promise.all(
        [[], [], ['producer.paths={/records/2026}']].map(
          async (set) => named(await render('producer.job.enabled=true', ...set), 'Job').metadata.name,
        ),
      )
      expect(new Set(names).size).toBe(2)
      expect(names[0]).toBe(names[1])
    })

    it('has a producer and a consumer that do their work, answer their probes and stop when told to', async () => {
      await using folder = await Folder.make({ 'records/a.csv': records(3) })
      const resources = await render('producer.job.enabled=true', 'model.name=records')
      const port = await freePort()
      const secrets = {
        queue: `embedded:${folder.at('queue.db')}`,
        target: `sqlite:${folder.at('rows.db')}`,
        'http-token': 'sixteen-or-more-characters',
      }
      // As a node would: the folders of volumes, the secrets, a port that is free here.
      const here = (text: string) =>
        text
          .replaceAll('/var/lib/lading', folder.path)
          .replaceAll('/records', folder.at('records'))
          .replaceAll('9090', String(port))
      const started = (kind: string) => {
        const [container] = podOf(named(resources, kind))?.containers ?? expect.unreachable()
        const env = container.env.map(({ name, value, valueFrom }) => {
          const { secretKeyRef } = (valueFrom ?? {}) as { secretKeyRef?: { key: keyof typeof secrets } }
          return [name, secretKeyRef === undefined ? here(value ?? '') : secrets[secretKeyRef.key]]
        })
        return {
          container,
          args: container.args.map(here),
          env: Object.fromEntries(env) as Record<string, string>,
        }
      }

      const producer = started('Job')
      await run(process.execPath, [bin, ...producer.args], { env: producer.env, cwd: folder.path })

      const { container, args, env } = started('Deployment')
      const consumer = spawn(process.execPath, [bin, ...args], {
        env,
        cwd: folder.path,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      onTestFinished(() => void consumer.kill('SIGKILL'))
      const ended = once(consumer, 'exit')
      for await (const line of createInterface(consumer.stderr)) if (line.includes(`:${port}`)) break
      consumer.stderr.resume()
      const alive = await fetch(`http://127.0.0.1:${port}${container.livenessProbe?.httpGet.path}`)
      expect(alive.status).toBe(200)
      const [, ...probe] = container.readinessProbe?.exec.command ?? []
      const ready = (token: string) =>
        run(process.execPath, probe.map(here), { env: { ...env, LADING_HTTP_TOKEN: token } })
      await expect(ready(secrets['http-token'])).resolves.toEqual({ stdout: '', stderr: '' })
      await expect(ready('another-token-of-no-use')).rejects.toMatchObject({ code: 1 })
      await expect
        .poll(
          () =>
            run(process.execPath, [bin, 'verify', '--to', secrets.target, '--json', '--quiet']).then(
              ({ stdout }) => stdout,
              () => '',
            ),
          { timeout: 30_000, interval: 500 },
        )
        .toContain('"loaded": 3')
      consumer.kill('SIGTERM')
      expect(await ended).toEqual([0, null])
    })
  },
)
