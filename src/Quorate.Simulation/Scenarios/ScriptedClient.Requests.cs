using System.Globalization;
using System.Text;

namespace Quorate.Simulation.Scenarios;

/// <summary>What a script may tell a client to do.</summary>
internal sealed partial class ScriptedClient
{
    /// <summary><c>X create /a</c> waits for its answer; <c>X asks create /a</c> does not.</summary>
    public void Do(Words words)
    {
        switch (words.Peek)
        {
            case "drop":
                words.Next();
                Client.Drop();
                _turns.Network.Collect();
                _turns.WakeAt(Now + 1);
                _world.Run(1_000);
                return;
            case "vanish":
                words.Next();
                ForgetsItsLocks();
                Client.Abandon();
                _turns.Network.Collect();
                return;
            case "close":
                words.Next();
                Client.Close();
                _turns.WakeAt(Now + 1);
                _world.Run(100_000);
                return;
            default:
                bool waits = !words.Take("asks");
                long tag = Ask(words);
                if (waits) Await(tag);
                return;
        }
    }

    private void Await(long tag)
    {
        long deadline = Now + AnswerPatience;
        while (_asked.ContainsKey(tag) && Now < deadline) _world.Run(1_000);
        if (_asked.TryGetValue(tag, out string? asked)) _world.Say($"{Name} {asked}: no answer yet");
        else _world.Settles();
    }

    private long Ask(Words words)
    {
        string verb = words.Next(), path = words.Next("a path");
        byte[] name = Encoding.UTF8.GetBytes(path);
        long tag = ++_tag;
        var asked = new List<string> { verb, path };
        Action send = verb switch
        {
            "create" => Create(words, path, tag, asked),
            "set" => Set(words, name, tag, asked),
            "get" => Watching(words, asked, watch => Client.GetData(name, watch, tag)),
            "exists" => Watching(words, asked, watch => Client.Exists(name, watch, tag)),
            "children" => Watching(words, asked, watch => Client.GetChildren(name, watch, tag)),
            "delete" => () => Client.Delete(name, -1, tag),
            "sync" => () => Client.Sync(name, tag),
            "watch" => Watch(words, name, tag, asked),
            _ => throw new ScenarioException($"a client cannot {verb}: {words.Line}"),
        };
        if (verb == "delete") _world.Locks.Doubts(path, Name);
        if (verb == "delete") _owned.Remove(path);
        _asked.Add(tag, string.Join(' ', asked));
        send();
        _turns.WakeAt(Now + 1);
        return tag;
    }

    private Action Create(Words words, string path, long tag, List<string> asked)
    {
        int flags = 0;
        byte[] data = [];
        while (!words.AtEnd)
        {
            string word = words.Next();
            asked.Add(word.Length > 40 ? "…" : word);
            if (word == "ephemeral") flags |= 1;
            else if (word == "sequential") flags |= 2;
            else data = DataOf(word);
        }
        return () => Client.Create(path, data, flags, tag);
    }

    private Action Set(Words words, byte[] name, long tag, List<string> asked)
    {
        string text = words.Next("data");
        int version = words.Take("version") ? int.Parse(words.Next("a version"), CultureInfo.InvariantCulture) : -1;
        asked.Add(text);
        byte[] data = DataOf(text);
        return () => Client.SetData(name, data, version, tag);
    }

    private Action Watch(Words words, byte[] name, long tag, List<string> asked)
    {
        bool recursive = words.Take("recursive");
        if (recursive) asked.Add("recursive");
        return () => Client.AddWatch(name, recursive ? 1 : 0, tag);
    }

    private static Action Watching(Words words, List<string> asked, Action<bool> send)
    {
        bool watch = words.Take("watch");
        if (watch) asked.Add("watch");
        return () => send(watch);
    }

    /// <summary>A word is itself; <c>*20KiB</c> is so many bytes of it.</summary>
    private static byte[] DataOf(string word)
    {
        if (word[0] != '*') return Encoding.UTF8.GetBytes(word);
        var bytes = new byte[Words.BytesOf(word[1..])];
        for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)('a' + i % 26);
        return bytes;
    }
}
