using System.Globalization;
using Quorate.Doors;
using Quorate.Primitives.Tree;
using Quorate.Runtime;
using Quorate.Runtime.Faces;
using Quorate.ZooKeeper;

namespace Quorate.Shell;

/// <summary>Puts ZooKeeper's face in front of a tree, and tells its four-letter words of the member behind.</summary>
internal sealed class MemberFaces(FaceOptions options, DataTree tree, INotes notes, TurnClock clock) : IFaceFactory
{
    public ZooKeeperFace Face { get; private set; } = null!;

    public IStateMachine CreateMachine() => tree;

    public IFace CreateFace(IStateMachine machine, ISessions sessions, Member member) =>
        Face = new ZooKeeperFace((DataTree)machine, sessions, options, notes, new Words(member, sessions, clock));

    private sealed class Words(Member member, ISessions sessions, TurnClock clock) : IMemberFigures
    {
        private readonly long _began = clock.Now.Micros;

        public string Mode => sessions.Alone ? "standalone" : member.Standing.Role switch
        {
            Kernel.Role.Leader => "leader",
            Kernel.Role.Learner => "observer",
            _ => "follower",
        };

        public ulong Term => member.Standing.Term;

        public long UptimeMillis => (clock.Now.Micros - _began) / Instant.MicrosPerMilli;

        public void AddTo(List<KeyValuePair<string, string>> lines)
        {
            var standing = member.Standing;
            lines.Add(new("commit_index", standing.Commit.ToString(CultureInfo.InvariantCulture)));
            lines.Add(new("applied_index", member.Sessions.AppliedIndex.ToString(CultureInfo.InvariantCulture)));
            lines.Add(new("stale_sessions_expired", member.Sessions.Expired.ToString(CultureInfo.InvariantCulture)));
            if (OpenFiles.Count() is { } open) lines.Add(new("open_file_descriptor_count", open.ToString(CultureInfo.InvariantCulture)));
            if (OpenFiles.Limit() is { } limit) lines.Add(new("max_file_descriptor_count", limit.ToString(CultureInfo.InvariantCulture)));
            if (standing.Role != Kernel.Role.Leader) return;
            int others = 0, linked = 0;
            foreach (var m in member.Sessions.Configuration.Members)
            {
                if (m.Id == member.Options.Self) continue;
                others++;
                if (member.Mesh.IsUp(m.Id)) linked++;
            }
            lines.Add(new("quorum_size", (others + 1).ToString(CultureInfo.InvariantCulture)));
            lines.Add(new("learners", others.ToString(CultureInfo.InvariantCulture)));
            lines.Add(new("synced_followers", linked.ToString(CultureInfo.InvariantCulture)));
        }
    }
}
