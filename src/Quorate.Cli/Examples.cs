namespace Quorate.Cli;

/// <summary>What --help shows at its end.</summary>
internal static class Examples
{
    public static string[] Of(string command) => command switch
    {
        "serve" =>
        [
            "quorate serve",
            "quorate serve --id 1 --members 1=127.0.0.1:7101,2=127.0.0.1:7102,3=127.0.0.1:7103 --data d1 --zookeeper 127.0.0.1:2181 --http 127.0.0.1:8081",
            "QUORATE_TICKTIME=500 quorate serve --set maxClientCnxns=60 --config quorate.json",
        ],
        "dev" => ["quorate dev --nodes 3"],
        "status" => ["quorate status", "quorate status --http 127.0.0.1:8081 --json"],
        "members" => ["quorate members add 4 127.0.0.1:7104", "quorate members promote 4", "quorate members remove 2"],
        "add" => ["quorate members add 4 127.0.0.1:7104"],
        "remove" => ["quorate members remove 2"],
        "promote" => ["quorate members promote 4"],
        "accept-loss" => ["quorate members accept-loss --http 127.0.0.1:8081 --indexes 20,22-25"],
        "transfer-leadership" => ["quorate transfer-leadership --to 2"],
        "bench" => ["quorate bench set100 --servers 127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183 --seconds 10", "quorate bench mix1k --read-pct 95 --json", "quorate bench failover --dev"],
        "failover" => ["quorate bench failover --dev --rounds 20", "quorate bench failover --servers 127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183 --pids 1.pid,2.pid,3.pid --restart './start-member {i}'"],
        "sim" => ["quorate sim --seeds 0..1000", "quorate sim --seeds 4711 --trace", "quorate sim --scenario tests/Quorate.Simulation.Tests/Scenarios/joiner.txt"],
        "explore" => ["quorate explore --members 3 --proposals 1 --timeouts 1", "quorate explore --members 2 --proposals 1 --crashes 1 --timeouts 2"],
        _ => ["quorate serve", "quorate dev --nodes 3", "quorate status"],
    };
}
