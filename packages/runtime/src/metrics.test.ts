import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createMetrics } from './metrics.ts'

it('counts and times what a process does, in names that carry their units', async () => {
  const metrics = createMetrics()
  metrics.observeRequest({
    service: 'api',
    method: 'GET',
    route: '/v1/recordings/:id',
    status: 206,
    durationMs: 20,
  })
  metrics.countDelivery({ connectorKind: 'standard', outcome: 'committed' })
  metrics.countAudioBytes('in', 1500)
  metrics.countAudioBytes('in', 500)
  metrics.observeArchive({ outcome: 'archived', durationMs: 1500 })
  metrics.observeAuditAppend({ outcome: 'durable', durationMs: 3 })
  metrics.gaugeQueue(async () => ({ waiting: 3, active: 1 }))
  metrics.gaugeQuarantine(async () => 2)
  metrics.observeReplication({ outcome: 'replicated', durationMs: 250 })
  metrics.gaugeReplication(async () => ({ objects: 5, owedAt: new Date(Date.now() - 90_000) }))
  metrics.countDecisions('changed', 500)
  metrics.countDestruction('destroyed')
  metrics.countAlert('break_glass_started')
  metrics.countFollow('changed')
  metrics.countDrift({ missing: 2, shorter: 3 })
  metrics.gaugeStores(async () => ({ recordings: 4, failing: 1, askedAt: new Date(Date.now() - 90_000) }))
  metrics.gaugeAlerts(async () => ({ break_glass_started: 2 }))
  metrics.log.observeSealed([400, 600])
  metrics.log.observePublished(9000)
  metrics.log.changeRefused('tenant', 1)
  metrics.log.countWitness('signed')
  metrics.log.countStragglers(2)
  metrics.log.gauge(async () => ({
    unsealedSince: new Date(Date.now() - 90_000),
    unpublishedSince: null,
    leaves: 70_000,
    anchorLeaves: 12,
  }))
  const text = await metrics.render()
  for (const line of [
    'auricle_log_seal_age_seconds_sum 1',
    'auricle_log_publish_age_seconds_sum 9',
    'auricle_log_refused{log="tenant"} 1',
    'auricle_log_witness_requests_total{outcome="signed"} 1',
    'auricle_log_stragglers_total 2',
    'auricle_log_unsealed_age_seconds 9',
    'auricle_log_unpublished_age_seconds 0',
    'auricle_log_leaves{log="tenant"} 70000',
    'auricle_log_leaves{log="anchor"} 12',
    'auricle_http_request_duration_seconds_sum{service="api",method="GET",route="/v1/recordings/:id",status="206"} 0.02',
    'auricle_deliveries_total{connector_kind="standard",outcome="committed"} 1',
    'auricle_audio_bytes_total{direction="in"} 2000',
    'auricle_archive_duration_seconds_sum{outcome="archived"} 1.5',
    'auricle_audit_append_duration_seconds_count{outcome="durable"} 1',
    'auricle_queue_jobs{state="waiting"} 3',
    'auricle_quarantined_intakes 2',
    'auricle_alerts_raised_total{kind="break_glass_started"} 1',
    'auricle_alerts_open{kind="break_glass_started"} 2',
    'auricle_replication_duration_seconds_sum{outcome="replicated"} 0.25',
    'auricle_retention_decisions_total{outcome="changed"} 500',
    'auricle_destructions_total{outcome="destroyed"} 1',
    'auricle_unreplicated_objects 5',
    'auricle_store_follows_total{outcome="changed"} 1',
    'auricle_store_drift_findings_total{kind="shorter"} 3',
    'auricle_store_backlog_recordings 4',
    'auricle_store_failing_recordings 1',
    'auricle_store_backlog_oldest_age_seconds 9',
    'auricle_unreplicated_oldest_age_seconds 9',
  ]) {
    assert.ok(text.includes(line), line)
  }
  assert.match(text, /^process_resident_memory_bytes \d+$/m)
  assert.match(metrics.contentType, /^text\/plain/)
})

it('says 0 where nothing owes a copy', async () => {
  const metrics = createMetrics()
  assert.doesNotMatch(await metrics.render(), /unreplicated/)
  metrics.gaugeReplication(async () => ({ objects: 0, owedAt: null }))
  assert.match(await metrics.render(), /^auricle_unreplicated_oldest_age_seconds 0$/m)
})

it('still answers when a gauge cannot be read, without its last value', async () => {
  const metrics = createMetrics()
  let isAway = false
  const read = async () => {
    if (isAway) throw new Error('the database is away')
    return { waiting: 7 }
  }
  metrics.gaugeQueue(read)
  assert.match(await metrics.render(), /auricle_queue_jobs\{state="waiting"\} 7/)
  isAway = true
  const text = await metrics.render()
  assert.doesNotMatch(text, /auricle_queue_jobs\{/)
  assert.match(text, /auricle_gauge_failures_total\{gauge="queue"\} 1/)
})

it('keeps two processes in one, as tests have them, apart', async () => {
  const one = createMetrics()
  const two = createMetrics()
  one.countAudioBytes('out', 5)
  assert.doesNotMatch(await two.render(), /auricle_audio_bytes_total\{/)
})
