using Quorate.Cli.Serve;

namespace Quorate.Cli.Tests;

public class SettingsTests
{
    private static ServeSettings Read(string? file = null, Dictionary<string, string>? environment = null, string[]? sets = null, params Given[] flags) =>
        ServeSettings.Read(file, environment ?? [], sets ?? [], flags);

    private static string ErrorOf(Action read)
    {
        var error = Assert.Throws<CommandException>(read);
        Assert.Equal(2, error.Code);
        Assert.DoesNotContain('\n', error.Message);
        return error.Message;
    }

    [Fact]
    public void Later_layers_win_over_earlier_ones()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, """{ "tickTime": 100, "maxClientCnxns": 1, "data": "from-file", "id": 7, "http": "none" } // a comment is fine""");
        try
        {
            var settings = Read(file, new() { ["QUORATE_MAXCLIENTCNXNS"] = "2", ["QUORATE_DATA"] = "from-environment", ["QUORATE_ID"] = "8", ["PATH"] = "/bin" }, ["data=from-set", "id=9"], new Given("id", "10", "--id"));
            Assert.Equal((100, 2, "from-set", 10, "none"), (settings.Member.TickTime, settings.Member.MaxClientCnxns, settings.Member.Data, settings.Member.Id, settings.Http));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Nested_names_are_joined_by_dots_and_members_may_be_an_object()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, """{ "jute": { "maxbuffer": 4096 }, "members": { "1": "127.0.0.1:7101", "2": "127.0.0.1:7102" }, "extendedTypesEnabled": false }""");
        try
        {
            var settings = Read(file);
            Assert.Equal((4096, "1=127.0.0.1:7101,2=127.0.0.1:7102", false), (settings.Member.JuteMaxBuffer, settings.Member.Members, settings.Member.ExtendedTypesEnabled));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void An_unknown_key_is_an_error_that_names_the_nearest_known_one()
    {
        Assert.Contains("did you mean tickTime?", ErrorOf(() => Read(sets: ["ticktime=1"])), StringComparison.Ordinal);
        Assert.Contains("did you mean QUORATE_TICKTIME?", ErrorOf(() => Read(environment: new() { ["QUORATE_TICKTIMES"] = "1" })), StringComparison.Ordinal);
        Assert.Contains("there is no setting 'colour'", ErrorOf(() => Read(sets: ["colour=red"])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("id", "0")]
    [InlineData("id", "255")]
    [InlineData("id", "one")]
    [InlineData("members", "1")]
    [InlineData("members", "1=127.0.0.1:7101,1=127.0.0.1:7102")]
    [InlineData("members", "1=127.0.0.1:7101,2=127.0.0.1:7101")]
    [InlineData("members", "2=127.0.0.1:7101")]
    [InlineData("members", "1=127.0.0.1:0")]
    [InlineData("zookeeper", "localhost")]
    [InlineData("zookeeper", "127.0.0.1:70000")]
    [InlineData("zookeeper", ":2181")]
    [InlineData("zookeeper", "::1:2181")]
    [InlineData("peer", "x y:1")]
    [InlineData("http", "8080")]
    [InlineData("protocol", "pbft")]
    [InlineData("storage", "tape")]
    [InlineData("tickTime", "0")]
    [InlineData("minSessionTimeout", "99999999")]
    [InlineData("maxClientCnxns", "-1")]
    [InlineData("jute.maxbuffer", "10")]
    [InlineData("segmentBytes", "5000")]
    [InlineData("extendedTypesEnabled", "yes")]
    [InlineData("data", "")]
    public void A_wrong_value_is_one_line_that_names_its_key(string key, string value) => Assert.StartsWith(key, ErrorOf(() => Read(sets: [key + "=" + value])), StringComparison.Ordinal);

    [Fact]
    public void Every_setting_shows_the_value_that_was_put()
    {
        foreach (var setting in Settings.All)
        {
            var options = new QuorateOptions();
            string before = setting.Get(options), after = before is "true" ? "false" : before is "false" ? "true" : int.TryParse(before, out int number) ? (number + 4096).ToString(System.Globalization.CultureInfo.InvariantCulture) : before + "x";
            Assert.Null(setting.Put(options, after));
            Assert.Equal(after, setting.Get(options));
        }
    }

    [Fact]
    public void A_file_that_is_no_object_is_refused()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "[1]");
        try
        {
            Assert.Contains("must be one JSON object", ErrorOf(() => Read(file)), StringComparison.Ordinal);
            File.WriteAllText(file, "{ \"id\": [1] }");
            Assert.Contains("id is a list", ErrorOf(() => Read(file)), StringComparison.Ordinal);
            File.WriteAllText(file, "{ id");
            ErrorOf(() => Read(file));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
