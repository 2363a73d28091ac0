using System.Reflection;
using System.Runtime.CompilerServices;

namespace Postern.AspNetCore.Tests;

public sealed class PublicApiTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly NullabilityInfoContext Nulls = new();

    [Fact]
    public void The_public_surface_is_the_committed_one()
    {
        var types = typeof(PosternOptions).Assembly.GetExportedTypes()
            .Where(type => !type.Name.StartsWith('<'))
            .OrderBy(type => type.FullName, StringComparer.Ordinal);

        CommittedFile.Matches(string.Join('\n', types.Select(Describe)), "../../docs/sdk-api.txt");
    }

    private static string Describe(Type type)
    {
        var members = type.GetMembers(Declared)
            .Where(member => member.GetCustomAttribute<CompilerGeneratedAttribute>() is null)
            .Select(Line).OfType<string>().Order(StringComparer.Ordinal);
        var parent = type.BaseType is { } other && other != typeof(object) ? $" : {Name(other)}" : "";
        var heading = $"{type.FullName}{parent}";
        return string.Concat(members.Prepend(heading).Select((line, at) => at is 0 ? $"{line}\n" : $"    {line}\n"));
    }

    private static string? Line(MemberInfo member) => member switch
    {
        ConstructorInfo constructor => $"new({Parameters(constructor)})",
        FieldInfo { IsLiteral: true } field when !field.DeclaringType!.IsEnum =>
            $"const {Name(field.FieldType)} {field.Name} = {field.GetRawConstantValue()}",
        FieldInfo { IsSpecialName: false } field => $"{Name(field.FieldType)} {field.Name}",
        PropertyInfo property =>
            $"{Name(property.PropertyType, Nulls.Create(property))} {property.Name} {{ {Accessors(property)}}}",
        MethodInfo { IsSpecialName: false } method =>
            $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType, Nulls.Create(method.ReturnParameter))} "
            + $"{method.Name}({Parameters(method)})",
        _ => null,
    };

    private static string Accessors(PropertyInfo property)
    {
        var isInit = property.SetMethod?.ReturnParameter.GetRequiredCustomModifiers().Length > 0;
        var set = property.SetMethod?.IsPublic is not true ? "" : isInit ? "init; " : "set; ";
        return $"{(property.GetMethod?.IsPublic is true ? "get; " : "")}{set}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{(parameter.IsOut ? "out " : "")}{Name(parameter.ParameterType, Nulls.Create(parameter))} {parameter.Name}"
        + (parameter.HasDefaultValue ? $" = {parameter.DefaultValue ?? "default"}" : "")));

    private static string Name(Type type, NullabilityInfo? nulls = null)
    {
        if (type.IsByRef)
        {
            return Name(type.GetElementType()!);
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return $"{Name(value)}?";
        }

        var mark = nulls is { ReadState: NullabilityState.Nullable } && !type.IsValueType ? "?" : "";
        var arguments = type.GenericTypeArguments.Select((argument, at) =>
            Name(argument, nulls?.GenericTypeArguments.ElementAtOrDefault(at)));
        return type.IsGenericType
            ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", arguments)}>{mark}"
            : type.Name + mark;
    }
}
