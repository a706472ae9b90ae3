import { describe, expect, it } from 'vitest';
import { parseScenario } from '../src/scenario/read-scenario.ts';

const refusal = (text: string): string => {
  try {
    parseScenario(text, 'x.yaml');
  } catch (error) {
    expect(error).toMatchObject({ code: 'SCENARIO_INVALID' });
    return (error as Error).message.split('\n').slice(1).join('\n');
  }
  throw new Error('it was accepted');
};

const withTimeline = (timeline: string, rest = ''): string => `name: t\npeers: 4\n${rest}timeline:\n${timeline}`;

describe('a scenario', () => {
  it('has defaults for everything but its name, and plain numbers for quantities', () => {
    const { scenario } = parseScenario('name: small\nuntil: 1.5s\n', 'x.yaml');
    expect(scenario).toMatchObject({ peers: 4, seed: '1', until: 1_500, protocol: 'poeg', timeline: [], load: [] });
    expect(scenario.consensus).toMatchObject({ slotClock: 'ready', slotPace: 250, readyTimeout: 3_000 });
    expect(scenario.checks).toMatchObject({ liveness: { maxGap: 30_000 }, recovery: { within: 60_000 } });
  });

  it('plans one fault a peer, staggered, and one for the links of a partition', () => {
    const { plan } = parseScenario(
      withTimeline(`  - {do: restart, at: 2s, peers: all, stagger: 3s}
  - {do: partition, at: {height: 9}, for: {heights: 4}, groups: [[p01, p02], [p03]]}
  - {do: kill, at: {slot: 30}, peers: 50%}
  - {do: kill, at: {slot: 40}, peers: miner, for: 1s}
`),
      'x.yaml',
    );
    expect(plan.faults.slice(0, 4).map(({ peers, delayMs }) => [peers, delayMs])).toEqual([
      [['p01'], 0],
      [['p02'], 3_000],
      [['p03'], 6_000],
      [['p04'], 9_000],
    ]);
    expect(plan.faults[4]).toMatchObject({
      startsAt: { unit: 'height', value: 9 },
      lasts: { unit: 'height', value: 4 },
    });
    expect(plan.faults.slice(5).map(({ peers }) => peers)).toEqual([['p03'], ['p04'], null]);
  });

  it('lets faults overlap that do not contradict each other, and one begin where another ends', () => {
    const { plan } = parseScenario(
      withTimeline(`  - {do: pause, at: 2s, for: 2s, peers: [p01]}
  - {do: kill, at: 4s, for: 2s, peers: [p01]}
  - {do: link, at: 1s, from: all, to: all, latency: 20ms}
  - {do: link, at: 1s, from: [p01], to: all, loss: 5%}
  - {do: partition, at: 1s, for: 9s, groups: [[p01], [p02]], id: a}
  - {do: partition, at: 2s, for: 9s, groups: [[p01, p02], [p03]], id: b}
  - {do: kill, at: 20s, peers: [p03]}
  - {do: start, at: 25s, peers: [p03]}
  - {do: restart, at: 26s, peers: [p03]}
`),
      'x.yaml',
    );
    expect(plan.faults.filter(({ kind }) => kind === 'kill')[1]?.endsAt).toEqual({ unit: 'time', value: 25_000 });
  });
});

describe('a scenario is accepted', () => {
  it('when a misbehaving peer is killed and back before it is to be honest again, or misbehaves to the end', () => {
    const { plan } = parseScenario(
      withTimeline(`  - {do: misbehave, at: 1s, for: 9s, peers: [p01], choices: [{name: refuse}]}
  - {do: kill, at: 3s, for: 6s, peers: [p01]}
  - {do: misbehave, at: 1s, peers: [p02], choices: [{name: refuse}]}
  - {do: kill, at: 3s, peers: [p02]}
`),
      'x.yaml',
    );
    expect(plan.faults).toHaveLength(4);
  });

  it('when all peers are started after the miner was killed, whoever that is, and after others were', () => {
    const { plan } = parseScenario(
      withTimeline(`  - {do: kill, at: 3s, peers: [p01]}
  - {do: kill, at: 4s, peers: miner}
  - {do: start, at: 9s, peers: all}
  - {do: kill, at: 12s, peers: miner}
  - {do: start, at: 15s, peers: all}
`),
      'x.yaml',
    );
    expect(plan.faults.map(({ endsAt }) => endsAt?.value)).toEqual([9_000, 9_000, 15_000]);
  });
});

describe('the labels of faults', () => {
  it('are unique, and those of links say what was asked of them', () => {
    const { plan } = parseScenario(
      withTimeline(`  - {do: link, at: 1s, from: all, to: all, latency: 20ms}
  - {do: link, at: 1s, from: all, to: all, loss: 0.7%, jitter: 5ms}
  - {do: link, at: 1s, for: 1s, from: all, to: all, bandwidth: 64kB/s}
  - {do: partition, at: 2s, for: 1s, groups: [[p01], [p02]]}
  - {do: partition, at: 2s, for: 5s, groups: [[p01], [p02]]}
  - {do: pause, at: 9s, for: 1s, peers: miner}
  - {do: pause, at: 9s, for: 1s, peers: miner}
`),
      'x.yaml',
    );
    expect(plan.faults.map(({ label }) => label)).toEqual([
      'link all to all latency 20ms at 1s',
      'link all to all jitter 5ms, loss 0.7% at 1s',
      'link all to all bandwidth 64000B/s at 1s',
      'partition p01 | p02 at 2s',
      'partition p01 | p02 at 2s (2)',
      'pause miner at 9s',
      'pause miner at 9s (2)',
    ]);
  });
});

describe('a scenario is refused before anything starts, with line and column', () => {
  it.each([
    ['not YAML', 'name: [a\n', 'x.yaml:2:1: '],
    ['a key twice', 'name: a\nname: b\n', 'x.yaml:2:1: Map keys must be unique'],
    ['no name', 'peers: 4\n', 'x.yaml:1:1: name: is missing'],
    ['a misspelt key', 'name: a\npeeers: 4\n', 'x.yaml:2:1: peeers: there is no such key; did you mean peers?'],
    [
      'a misspelt key inside',
      'name: a\nconsensus:\n  quorom: 3\n',
      'x.yaml:3:3: consensus.quorom: there is no such key; did you mean quorum?',
    ],
    [
      'a misspelt key of a fault',
      withTimeline('  - do: kill\n    at: 1s\n    peer: [p01]\n'),
      'x.yaml:6:5: timeline[0].peer: there is no such key; did you mean peers?',
    ],
    [
      'a key in the wrong place',
      'name: a\nquorum: 3\n',
      'x.yaml:2:1: quorum: there is no such key; it stands under consensus',
    ],
    ['a key that is like no other', 'name: a\nweather: 3\n', 'x.yaml:2:1: weather: there is no such key\n'],
    ['an unknown fault', withTimeline('  - {do: explode, at: 1s}\n'), 'x.yaml:4:10: timeline[0].do: '],
    ['a number without a unit', 'name: a\nuntil: 20\n', 'x.yaml:2:8: until: write a duration such as 30s'],
    [
      'a share above 100 %',
      withTimeline('  - {do: link, at: 1s, from: all, to: all, loss: 200%}\n'),
      'x.yaml:4:50: timeline[0].loss: at most 100%',
    ],
    [
      'a quorum that is too small',
      'name: a\npeers: 4\nconsensus: {quorum: 2}\n',
      'x.yaml:3:21: consensus.quorum: must be more than two thirds of 4: at least 3',
    ],
    [
      'a quorum that is too large',
      'name: a\npeers: 4\nconsensus: {quorum: 5}\n',
      'x.yaml:3:21: consensus.quorum: there are only 4 peers',
    ],
    [
      'a peer that is not there',
      withTimeline('  - {do: kill, at: 1s, peers: [p01, p09]}\n'),
      'x.yaml:4:37: timeline[0].peers[1]: there is no peer p09: they are p01 to p04',
    ],
    [
      'a peer of a load that is not there',
      'name: a\nload:\n  - {kind: open, rate: 1, via: [p07]}\n',
      'x.yaml:3:33: load[0].via[0]: there is no peer p07',
    ],
    [
      'a peer in two groups',
      withTimeline('  - {do: partition, at: 1s, groups: [[p01], [p01]]}\n'),
      'timeline[0].groups[1][0]: p01 stands in two groups',
    ],
    ['a share that is nobody', withTimeline('  - {do: kill, at: 1s, peers: 10%}\n'), '10% of 4 peers is none'],
    [
      'a link without a condition',
      withTimeline('  - {do: link, at: 1s, from: all, to: all}\n'),
      'a link needs one of latency, jitter, loss and bandwidth',
    ],
    [
      'a link to oneself',
      withTimeline('  - {do: link, at: 1s, from: [p01], to: [p01], loss: 1%}\n'),
      'there is no link from a peer to itself',
    ],
    [
      'a restart of a peer that is up',
      withTimeline('  - {do: start, at: 1s, peers: [p01]}\n'),
      'x.yaml:4:32: timeline[0].peers: p01 is up then',
    ],
    [
      'a restart of a peer that is down',
      withTimeline('  - {do: kill, at: 1s, peers: [p01]}\n  - {do: restart, at: 2s, peers: [p01]}\n'),
      'x.yaml:5:5: timeline[1]: p01 cannot be under kill and restart at once (timeline[0]: kill p01 at 1s)',
    ],
    [
      'a heal before the cut',
      withTimeline('  - {do: end, at: 1s, which: cut}\n  - {do: partition, at: 2s, groups: [[p01], [p02]], id: cut}\n'),
      'x.yaml:4:19: timeline[0].at: it begins only at 2s (timeline[1])',
    ],
    [
      'an end of nothing',
      withTimeline('  - {do: end, at: 1s, which: cut}\n'),
      'timeline[0].which: no fault has the id cut',
    ],
    [
      'an end of what ends by itself',
      withTimeline('  - {do: pause, at: 1s, for: 1s, peers: all, id: a}\n  - {do: end, at: 2s, which: a}\n'),
      'timeline[1].which: pause ends by itself',
    ],
    [
      'an end of an instant',
      withTimeline('  - {do: restart, at: 1s, peers: all, id: a}\n  - {do: end, at: 2s, which: a}\n'),
      'there is nothing to end',
    ],
    [
      'two ends',
      withTimeline(
        '  - {do: pause, at: 1s, peers: all, id: a}\n  - {do: end, at: 2s, which: a}\n  - {do: end, at: 3s, which: a}\n',
      ),
      'timeline[1] ends a already',
    ],
    [
      'one id twice',
      withTimeline(
        '  - {do: pause, at: 1s, for: 1s, peers: all, id: a}\n  - {do: pause, at: 5s, for: 1s, peers: all, id: a}\n',
      ),
      'timeline[1].id: timeline[0] has this id already',
    ],
    [
      'a pause of a killed peer',
      withTimeline(
        '  - {do: kill, at: {height: 5}, for: {heights: 9}, peers: [p02]}\n  - {do: pause, at: {height: 8}, for: 1s, peers: [p02]}\n',
      ),
      'p02 cannot be under kill and pause at once',
    ],
    [
      'two clocks',
      withTimeline(
        '  - {do: clock-skew, at: 1s, by: 5s, peers: [p02]}\n  - {do: clock-skew, at: 8s, by: -5s, peers: [p02]}\n',
      ),
      'p02 is under clock-skew already',
    ],
    [
      'two latencies of a link',
      withTimeline(
        '  - {do: link, at: 1s, from: all, to: all, latency: 5ms}\n  - {do: link, at: 2s, from: [p01], to: [p02], latency: 9ms}\n',
      ),
      'the link p01>p02 has a latency already',
    ],
    [
      'a disconnection of a peer that is down',
      withTimeline(
        '  - {do: kill, at: 1s, for: 9s, peers: [p01]}\n  - {do: disconnect, at: 5s, for: 1s, peers: [p01]}\n',
      ),
      'p01 is under kill when disconnect is to begin',
    ],
    [
      'a misbehaviour that there is not',
      withTimeline('  - {do: misbehave, at: 1s, peers: [p01], choices: [{name: bribe}]}\n'),
      'x.yaml:4:60: timeline[0].choices[0].name: ',
    ],
    [
      'a parameter that the misbehaviour does not have',
      withTimeline('  - {do: misbehave, at: 1s, peers: [p01], choices: [{name: delay, parameters: {delaysMs: 5}}]}\n'),
      'x.yaml:4:90: timeline[0].choices[0].parameters.delaysMs: there is no such parameter\n',
    ],
    [
      'a kind of invalid block that there is not',
      withTimeline(
        '  - {do: misbehave, at: 1s, peers: [p01], choices: [{name: invalid-block, parameters: {kind: ugly}}]}\n',
      ),
      'expected one of wrong-trade, ',
    ],
    [
      'a wrong model where nobody learns',
      withTimeline(
        '  - {do: misbehave, at: 1s, peers: [p01], choices: [{name: invalid-block, parameters: {kind: wrong-model}}]}\n',
      ),
      'a chain of `protocol: poeg` has no block that could be wrong in this way',
    ],
    [
      'a peer that is not in a list',
      withTimeline('  - {do: kill, at: 1s, peers: p01}\n'),
      'x.yaml:4:31: timeline[0].peers: write all, miner, a share such as 30%, or a list such as [p01, p03]',
    ],
    [
      'two misbehaviours of one peer in two entries',
      withTimeline(
        '  - {do: misbehave, at: 1s, peers: [p01], choices: [{name: refuse}]}\n  - {do: misbehave, at: 5s, peers: [p01], choices: [{name: delay}]}\n',
      ),
      'p01 is under misbehave already',
    ],
    [
      'EVs in a market of prosumers',
      'name: a\nevs: {roundsPerDay: 2}\n',
      'x.yaml:2:6: evs: only `protocol: posoc` has EVs',
    ],
    [
      'a model that there is not',
      'name: a\nchecks: {modelGain: {atLeast: 5%}}\n',
      'x.yaml:2:21: checks.modelGain: only `protocol: posoc` has a model',
    ],
    [
      'clients of EVs',
      'name: a\nprotocol: posoc\nload: [{kind: open, rate: 1}]\n',
      'x.yaml:3:7: load: a chain of EVs has no accounts for clients',
    ],
    [
      'an EV that is not there',
      'name: a\nprotocol: posoc\nevs: {notPaying: {peers: [p09]}}\n',
      'x.yaml:3:27: evs.notPaying.peers[0]: there is no peer p09',
    ],
    [
      'the miner as a free rider',
      'name: a\nprotocol: posoc\nevs: {freeRiders: miner}\n',
      'x.yaml:3:19: evs.freeRiders: name EVs',
    ],
    [
      'an EV that poisons what it does not learn',
      'name: a\nprotocol: posoc\nevs: {poisoned: {peers: [p01]}, freeRiders: [p01]}\n',
      'x.yaml:3:45: evs.freeRiders: p01 poisons its updates already',
    ],
    [
      'an end after the limit',
      'name: a\nuntil: 30min\n',
      'x.yaml:2:8: until: the run ends before that: `limit` is 10min',
    ],
    ['an end at the limit', 'name: a\nuntil: 10min\n', 'x.yaml:2:8: until: '],
    [
      'a load after the limit',
      'name: a\nlimit: 1min\nload:\n  - {kind: open, rate: 1, from: 60s}\n',
      'x.yaml:4:33: load[0].from: the run ends before that: `limit` is 1min',
    ],
    [
      'a kill that outlasts a misbehaviour',
      withTimeline(
        '  - {do: misbehave, at: 1s, for: 9s, peers: [p01], choices: [{name: refuse}]}\n  - {do: kill, at: 5s, for: 9s, peers: [p01]}\n',
      ),
      'x.yaml:5:5: timeline[1]: p01 is under kill when misbehave is to end, for which it must be up (timeline[0]: ',
    ],
    [
      'a pause that ends with a misbehaviour',
      withTimeline(
        '  - {do: pause, at: 5s, for: 5s, peers: [p01]}\n  - {do: misbehave, at: 1s, for: 9s, peers: [p01], choices: [{name: refuse}]}\n',
      ),
      'p01 is under pause when misbehave is to end',
    ],
    [
      'a start of who may have been the miner',
      withTimeline('  - {do: kill, at: 3s, peers: miner}\n  - {do: start, at: 4s, peers: [p02]}\n'),
      'x.yaml:5:32: timeline[1].peers: nobody knows that p02 was the miner (timeline[0]): write `peers: all` here',
    ],
    ['a fault after the end', withTimeline('  - {do: kill, at: 20min, peers: [p01]}\n'), 'the run ends before that'],
  ])('%s', (_, text, message) => {
    expect(`${refusal(text)}\n`).toContain(message);
  });

  it('says all at once', () => {
    const lines = refusal('name: a\nuntil: soon\npeeers: 4\nload: [{kind: shut}]\n').split('\n');
    expect(lines.map((line) => line.split(':')[1])).toEqual(['2', '3', '4']);
  });
});
